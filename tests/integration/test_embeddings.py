"""Embeddings through every part: durable jobs like completions, and vectors in the form that was asked for."""

import base64
import json
import math
import struct
import subprocess
import sys

import pytest
from openai.types import CreateEmbeddingResponse

from config.settings import PROJECT_ROOT
from tests.support.embedding_stack import ALIAS, GEMINI, OPENAI, OPENROUTER, ask, embedding_stack
from tests.support.process_node import wait_until
from tests.support.stack import chat, ended_object
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.integration
PATH = "/v1/embeddings"
MODELS = (OPENAI, OPENROUTER, GEMINI)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The product with accounts that embed."""
    stack = embedding_stack(tmp_path_factory.mktemp("embeddings") / "config")
    yield stack
    stack.stop()


@pytest.fixture
def stack(running):
    """The same, with a sandbox that behaves."""
    running.sandbox.reset()
    running.redis.client.delete("mr:permits")
    return running


def embed(stack, *args, headers=None, **fields):
    response = stack.post(ask(*args, **fields), path=PATH, headers=headers)
    assert response.status_code == 200, response.text
    return response.json()


def vectors(body):
    assert [item["index"] for item in body["data"]] == list(range(len(body["data"])))
    return [item["embedding"] for item in body["data"]]


def decoded(text):
    raw = base64.b64decode(text)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


@pytest.mark.parametrize("model", MODELS)
def test_vectors_come_in_openais_form(stack, model):
    """Each dialect's answer is OpenAI's list, in the order of the inputs, with usage and the story of its route."""
    body = embed(stack, ["one", "two", "one"], model)
    parsed = CreateEmbeddingResponse.model_validate(body)
    first, second, again = (item.embedding for item in parsed.data)
    assert first == again != second
    assert parsed.usage.prompt_tokens == parsed.usage.total_tokens == 3
    assert parsed.model == model.partition("/")[2]
    [attempt] = body["routing_metadata"]["attempts"]
    assert (attempt["provider"], attempt["status"]) == (model.partition("/")[0], "completed")


@pytest.mark.parametrize("model", MODELS)
def test_base64_holds_the_same_numbers(stack, model):
    """Asked for base64, a caller gets little-endian 32-bit floats of the same vector."""
    [plain] = vectors(embed(stack, "same", model))
    [packed] = vectors(embed(stack, "same", model, encoding_format="base64"))
    assert decoded(packed) == pytest.approx(plain, abs=1e-6)


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("model", MODELS)
def test_dimensions_are_kept_and_length_is_one(stack, model, encoding):
    """A shortened vector has the length asked for, and is a unit vector whoever made it."""
    [vector] = vectors(embed(stack, "short", model, dimensions=64, encoding_format=encoding))
    numbers = decoded(vector) if encoding == "base64" else vector
    assert len(numbers) == 64
    assert math.hypot(*numbers) == pytest.approx(1, abs=1e-4)


def test_tokens_are_embedded(stack):
    """A list of tokens is one input, a list of lists is several."""
    assert len(embed(stack, [1, 2, 3])["data"]) == 1
    body = embed(stack, [[1, 2, 3], [4]])
    assert len(body["data"]) == 2
    assert body["usage"]["prompt_tokens"] == 4


def test_a_large_batch(stack):
    """As many inputs as OpenAI takes come back in their order."""
    texts = [f"text {number}" for number in range(2048)]
    found = vectors(embed(stack, texts, dimensions=8, encoding_format="base64"))
    assert len(found) == 2048
    assert found[1999] == vectors(embed(stack, texts[1999], dimensions=8, encoding_format="base64"))[0]


def test_another_account_with_the_same_model_answers(stack):
    """A failing account costs a failover: an alias names one model at two accounts, with the same vectors."""
    [before] = vectors(embed(stack, "who?"))
    stack.sandbox.behave("openai", fault="status", status=503)
    body = embed(stack, "who?", model=OPENAI, models=[OPENROUTER])
    attempts = body["routing_metadata"]["attempts"]
    assert [attempt["provider"] for attempt in attempts][-1] == "openrouter"
    assert all(attempt["error"].startswith("provider_failed") for attempt in attempts[:-1])
    assert vectors(body) == [before]


@pytest.mark.parametrize("fault", [{"fault": "malformed"}, {"fault": "status", "status": 429, "retry_after": 30}])
def test_other_faults_fail_over_too(stack, fault):
    """Broken answers and rate limits are handled as a completion's are."""
    stack.sandbox.behave("openai", **fault)
    assert (
        embed(stack, model=OPENAI, models=[OPENROUTER])["routing_metadata"]["attempts"][-1]["provider"] == "openrouter"
    )


def test_what_gemini_cannot_say_goes_elsewhere(stack):
    """Tokens, and more inputs than a batch of Gemini's holds, are no refusal while another can take them."""
    for text in ([1, 2, 3], ["x"] * 101):
        body = embed(stack, text, model=GEMINI, models=[OPENAI])
        attempts = body["routing_metadata"]["attempts"]
        assert attempts[0]["error"].startswith("not_expressible")
        assert attempts[-1]["provider"] == "openai"
    response = stack.post(ask([1, 2, 3], GEMINI), path=PATH)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "input")


def test_chat_and_embeddings_keep_apart(stack):
    """A chat never goes to a model that only embeds, nor an embedding to one that only chats."""
    refused = stack.post(chat(model=OPENAI))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_candidates")
    assert "does not serve chat" in refused.json()["error"]["message"]
    refused = stack.post(ask(model="openai/gpt-4o-mini"), path=PATH)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_candidates")
    assert "does not serve embeddings" in refused.json()["error"]["message"]
    assert stack.sandbox.calls()["total"] == 0


def test_an_input_that_is_too_long_for_the_model_is_told(stack):
    """Each input must fit the context by itself; the sum of many need not."""
    assert embed(stack, ["x" * 4 * 1500] * 3, GEMINI)
    refused = stack.post(ask("x" * 4 * 3000, GEMINI), path=PATH)
    assert refused.status_code == 400
    assert "too short" in refused.json()["error"]["message"]


def test_background_and_webhook(stack):
    """An embeddings job is polled, and told to a webhook, as any other."""
    with WebhookReceiver() as receiver:
        response = stack.post(ask(background=True, webhook_url=receiver.url), path=PATH)
        assert response.status_code == 202
        done = ended_object(stack, response.json()["id"])
        assert done["status"] == "completed"
        assert done["response"]["object"] == "list"
        assert len(vectors(done["response"])) == 1
        [(_, told)] = wait_until(lambda: receiver.received, what="the webhook")
    assert done["id"] in told.decode()


def test_idempotency_key(stack):
    """A repeated request gets the stored answer; a chat with the same key is another request."""
    headers = {"Idempotency-Key": "vectors-1"}
    first = stack.post(ask(), path=PATH, headers=headers)
    second = stack.post(ask(), path=PATH, headers=headers)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert stack.sandbox.calls()["total"] == 1
    assert stack.post(ask("other"), path=PATH, headers=headers).status_code == 409


def test_usage_costs_the_input_alone(stack):
    """An attempt is priced by the tokens of the input at the library's price."""
    [attempt] = embed(stack, "x" * 4 * 1000, OPENAI)["routing_metadata"]["attempts"]
    assert attempt["cost_microusd"] == 20


def test_a_plan_can_be_asked_for(stack):
    """A dry run takes the request itself, named by its surface, and makes no call."""
    plan = stack.post(ask("x" * 4 * 1000), path="/v1/routing/plan?surface=embeddings").json()
    assert {row["model"] for row in plan["candidates"]} == {ALIAS, f"openai/{ALIAS}"}
    assert {row["estimates"]["cost_microusd"] for row in plan["candidates"]} == {20.02}
    assert stack.post(ask(), path="/v1/routing/plan").json()["error"]["param"] == "messages"
    assert stack.post(ask(), path="/v1/routing/plan?surface=tarot").json()["error"]["param"] == "surface"
    assert stack.sandbox.calls()["total"] == 0


def test_models_show_what_embeds(stack):
    """A client can tell embeddings from chats in the list."""
    listed = {model["id"]: model for model in stack.get("/v1/models").json()["data"]}
    assert listed[OPENAI]["capabilities"] == listed[ALIAS]["capabilities"] == ["embeddings"]
    assert "chat" in listed["openai/gpt-4o-mini"]["capabilities"]
    assert float(listed[OPENAI]["pricing"]["completion"]) == 0


def test_speed_is_measured_by_the_input(stack):
    """What is learnt of a deployment's speed goes by the tokens that were embedded."""
    stack.redis.client.hdel("mr:health", OPENAI)
    embed(stack, "x" * 4 * 1000, OPENAI)
    record = wait_until(lambda: stack.redis.client.hget("mr:health", OPENAI), what="the evidence")
    calls, tokens = (float(word) for word in record.split()[3:5])
    assert tokens / calls == 1000


def test_an_exported_job_replays(stack, tmp_path):
    """A trace says that it was an embedding, and a replay prices it as one."""
    job_id = embed(stack, "x" * 4000, OPENAI)["routing_metadata"]["job_id"]

    def run(*arguments):
        command = [sys.executable, "-m", "cli", *arguments]
        environment = {"PATH": "", **stack.environment}
        return subprocess.run(
            command, cwd=PROJECT_ROOT, env=environment, capture_output=True, timeout=60, check=True
        ).stdout

    lines = [json.loads(line) for line in run("export").splitlines()]
    [job] = [line for line in lines if line["id"] == job_id]
    assert job["asked"]["needs"] == ["embeddings"]
    trace = tmp_path / "trace.jsonl"
    trace.write_text(json.dumps(job) + "\n")
    told = json.loads(run("replay", str(trace), "--policy", "cost-optimized", "--json"))
    assert {(found["completed"], found["cost_usd"]) for found in told["results"]} == {(1, 0.00002)}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"model": ALIAS}, "input"),
        ({"input": "x"}, "model"),
        (ask(None), "input"),
        (ask(""), "input"),
        (ask(5), "input"),
        (ask({}), "input"),
        (ask([]), "input"),
        (ask(["x", ""]), "input[1]"),
        (ask(["x", 5]), "input[1]"),
        (ask([1, "x"]), "input[1]"),
        (ask([1, -1]), "input[1]"),
        (ask([1, True]), "input[1]"),
        (ask([1.5]), "input[0]"),
        (ask([[1], []]), "input[1]"),
        (ask([[1], [1, "x"]]), "input[1][1]"),
        (ask([["x"]]), "input[0][0]"),
        (ask([None]), "input[0]"),
        (ask(["x"] * 2049), "input"),
        (ask(encoding_format="hex"), "encoding_format"),
        (ask(encoding_format=5), "encoding_format"),
        (ask(dimensions=0), "dimensions"),
        (ask(dimensions="64"), "dimensions"),
        (ask(dimensions=10**400), "dimensions"),
        (ask(user=5), "user"),
        (ask(stream=True), "stream"),
        (ask(model=5), "model"),
        (ask(models="x"), "models"),
        (ask(deadline_s=0), "deadline_s"),
        (ask(webhook_url="ftp://example.com"), "webhook_url"),
        (ask(service_tier="vip"), "service_tier"),
        (ask(on_disconnect="explode"), "on_disconnect"),
        (ask(background="yes"), "background"),
        (ask(provider="openai"), "provider"),
        (ask(routing_policy="cheapest-ever"), "routing_policy"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_400_and_named(stack, body, param):
    """The first field at fault is named, and no job is made."""
    before = stack.job_count()
    response = stack.post(body, path=PATH)
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert stack.job_count() == before


def test_nulls_stand_for_absent(stack):
    """Clients that send every optional field as null are served."""
    nulls = dict.fromkeys(("encoding_format", "dimensions", "user", "provider", "service_tier", "deadline_s"))
    for model in MODELS:
        assert embed(stack, "x", model, **nulls)


def test_no_key_is_401(stack):
    """The key is asked for first."""
    assert stack.post({}, path=PATH, headers={"Authorization": ""}).status_code == 401

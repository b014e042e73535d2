"""Responses that go to a provider's own Responses endpoint, and those translated beside them, through every part."""

import json

import openai
import pytest

from tests.support.native_stack import ALONE, NATIVE, TRANSLATED, native_stack
from tests.support.process_node import wait_until
from tests.support.response_stream import valid
from tests.support.stack import KEY, chat

pytestmark = pytest.mark.integration
PATH = "/v1/responses"
FUNCTION = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SEARCH = {"type": "web_search", "search_context_size": "low"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The product with both kinds of accounts."""
    stack = native_stack(tmp_path_factory.mktemp("native") / "config")
    yield stack
    stack.stop()


@pytest.fixture
def stack(running):
    """The same, with a sandbox that behaves."""
    running.sandbox.reset()
    running.redis.client.delete("mr:permits", "mr:health")
    return running


@pytest.fixture
def client(stack):
    with openai.OpenAI(base_url=f"{stack.api.url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def ask(text="Say hello.", model=NATIVE, **fields):
    """A request of one text."""
    return {"model": model, "input": text, **fields}


def create(stack, body, **options):
    """The response to `body`, valid by the SDK's type."""
    response = stack.post(body, path=PATH, **options)
    assert response.status_code == 200, response.text
    return valid(response.json())


def sent(stack):
    """What the last call asked for: its path and its body."""
    last = stack.sandbox.bodies()[-1]
    return last["path"], last["body"]


def words(response):
    return "".join(part["text"] for item in response["output"] for part in item.get("content") or ())


def kinds(response):
    return [item["type"] for item in response["output"]]


def ways(response):
    """Provider and status of each attempt."""
    return [(attempt["provider"], attempt["status"]) for attempt in response["routing_metadata"]["attempts"]]


def events_of(stack, body):
    """The stream's events, numbered from 0 without a gap, of one response of ours."""
    response = stack.post({**body, "stream": True}, path=PATH, stream=True)
    assert response.status_code == 200, response.text
    told = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith(b"data: ")]
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    names = {event["response"]["id"] for event in told if "response" in event}
    assert names == {response.headers["X-Job-Id"].replace("job_", "resp_")}
    return told


def test_the_request_is_sent_as_it_was_given(stack):
    """To the vendor's /responses goes what the caller asked, less what is ours; the vendor keeps nothing."""
    given = {
        "instructions": "Be short.",
        "tools": [FUNCTION],
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"verbosity": "low"},
        "include": ["reasoning.encrypted_content"],
        "max_output_tokens": 500,
        "truncation": "auto",
        "prompt_cache_key": "k",
    }
    ours = {"metadata": {"k": "v"}, "deadline_s": 60, "provider": {"allow_fallbacks": True}, "service_tier": "flex"}
    body = create(stack, {**ask("Who are you?"), **given, **ours})
    path, request = sent(stack)
    assert path.endswith("/v1/responses")
    said = [{"type": "message", "role": "user", "content": "Who are you?"}]
    assert request == {"model": "gpt-5-mini", "input": said, "store": False, **given}
    assert "Who are you?" in words(body)
    assert (body["metadata"], body["store"], body["background"]) == ({"k": "v"}, True, False)
    assert (body["instructions"], body["text"]["verbosity"], body["truncation"]) == ("Be short.", "low", "auto")
    assert body["id"].removeprefix("resp_") == body["routing_metadata"]["job_id"].removeprefix("job_")
    assert ways(body) == [("openai", "completed")]
    assert valid(stack.get(f"{PATH}/{body['id']}").json()) == body


def used(stack):
    """What the tenant has used so far."""
    days = [stack.redis.client.hgetall(key) for key in stack.redis.client.scan_iter("mr:usage:default:*")]
    names = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens", "cost_microusd")
    return {name: sum(int(day.get(name, 0)) for day in days) for name in names}


@pytest.mark.parametrize("streamed", [False, True])
def test_usage_and_cost_are_accounted(stack, streamed):
    """The tokens that the vendor's response tells are the job's, cached and reasoning ones among them."""
    stack.sandbox.behave("openai", cached_tokens=2, reasoning_tokens=7)
    before = used(stack)
    body = events_of(stack, ask())[-1]["response"] if streamed else create(stack, ask())
    usage, cost = body["usage"], body["routing_metadata"]["attempts"][0]["cost_microusd"]
    assert usage["output_tokens_details"]["reasoning_tokens"] == 7
    assert cost > 0
    assert {name: count - before[name] for name, count in used(stack).items()} == {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "cached_tokens": 2,
        "reasoning_tokens": 7,
        "cost_microusd": cost,
    }


def test_who_has_no_such_endpoint_gets_a_chat(stack):
    """The same request is translated where the row does not say that there is one."""
    body = create(stack, ask(model=TRANSLATED, include=["reasoning.encrypted_content"]))
    path, request = sent(stack)
    assert path.endswith("/chat/completions")
    assert "input" not in request
    assert ways(body) == [("groq", "completed")]


def test_what_only_chat_has_words_for_is_translated(stack):
    """A field that the Responses API has not goes as chat, to whoever it goes."""
    create(stack, ask(seed=5, stop=["never"]))
    path, request = sent(stack)
    assert path.endswith("/chat/completions")
    assert (request["seed"], request["stop"]) == (5, ["never"])


def test_a_model_that_has_responses_alone(stack):
    """It answers responses, and no chat is sent to it."""
    assert "Say hello." in words(create(stack, ask(model=ALONE)))
    refused = stack.post(chat("x", ALONE))
    assert refused.status_code == 400
    assert "does not serve chat" in refused.json()["error"]["message"]


def test_hosted_tools(stack):
    """A tool of the vendor's own is asked for, and its call is an item of the answer, under the vendor's id."""
    body = create(stack, ask("web_search for news", tools=[SEARCH, FUNCTION]))
    _, request = sent(stack)
    assert request["tools"] == [SEARCH, FUNCTION]
    assert kinds(body) == ["web_search_call", "message"]
    assert body["output"][0]["id"].startswith("ws_")
    assert body["output"][1]["content"][0]["annotations"][0]["type"] == "url_citation"
    assert body["tools"][0] == SEARCH


def test_what_only_a_responses_endpoint_can_say_goes_only_there(stack):
    """Whoever has none is left out with the reason; where nobody is left, the field is named."""
    planned = create(stack, ask("web_search", "translated-first", tools=[SEARCH]))
    assert ways(planned) == [("openai", "completed")]
    job = stack.get(f"/v1/jobs/{planned['routing_metadata']['job_id']}").json()
    [left] = job["plan"]["exclusions"]
    assert left["provider"] == "groq"
    assert left["reason"] == "has no Responses endpoint, which tools[0].type needs"
    before = stack.job_count()
    for body, field in (
        (ask(model=TRANSLATED, tools=[FUNCTION, SEARCH]), "tools[1].type"),
        (ask([{"type": "custom_tool_call_output", "call_id": "c", "output": "x"}], TRANSLATED), "input[0].type"),
        (ask(model=TRANSLATED, reasoning={"mode": "pro"}), "reasoning.mode"),
    ):
        refused = stack.post(body, path=PATH)
        assert refused.status_code == 400
        error = refused.json()["error"]
        assert (error["param"], error["code"]) == (field, "no_candidates")
        assert f"has no Responses endpoint, which {field} needs" in error["message"]
    assert stack.job_count() == before


@pytest.mark.parametrize(
    ("model", "failing", "answering"), [("native-first", "openai", "groq"), ("translated-first", "groq", "openai")]
)
@pytest.mark.parametrize("streamed", [False, True])
def test_failover_goes_both_ways(stack, model, failing, answering, streamed):
    """A provider that fails is followed by the other, each asked in its own way, before anything was said."""
    stack.sandbox.behave(failing, fault="status", status=503)
    asked = ask("Both ways.", model, provider={"order": [failing, answering]})
    if streamed:
        told = events_of(stack, asked)
        body = valid(told[-1]["response"])
        assert "".join(e["delta"] for e in told if e["type"] == "response.output_text.delta") == words(body)
    else:
        body = create(stack, asked)
    assert ways(body) == [(failing, "failed"), (answering, "completed")]
    assert "Both ways." in words(body)
    paths = [call["path"].rpartition("/v1/")[2] for call in stack.sandbox.bodies()]
    assert paths == [{"openai": "responses", "groq": "chat/completions"}[name] for name in (failing, answering)]


def test_a_failing_stream_is_followed_silently(stack):
    """What only says that an item begins is held back: an error before the first word is not seen."""
    stack.sandbox.behave("openai", fault="error", text="x")
    told = events_of(stack, ask(model="native-first", provider={"order": ["openai", "groq"]}))
    assert told[-1]["type"] == "response.completed"
    assert ways(told[-1]["response"]) == [("openai", "failed"), ("groq", "completed")]


def test_a_refused_request_is_the_vendors_word(stack):
    """A 400 of the vendor is told with its message, and kept as a failed response."""
    refused = stack.post(ask("x", unheard_of=1), path=PATH)
    assert refused.status_code == 400
    assert "unheard_of" in refused.json()["error"]["message"]
    kept = valid(stack.get(f"{PATH}/{refused.headers['X-Job-Id'].replace('job_', 'resp_')}").json())
    assert (kept["status"], kept["error"]["code"]) == ("failed", "invalid_prompt")


def test_a_stream_is_passed_on(stack):
    """The vendor's events keep their types and items; numbers and the response's id are ours."""
    stack.sandbox.behave("openai", reasoning="Let me think.")
    told = events_of(stack, ask("web_search for news", tools=[SEARCH], reasoning={"summary": "auto"}))
    types = [event["type"] for event in told]
    assert types[:2] == ["response.created", "response.in_progress"]
    assert types.count("response.created") == 1
    assert {"response.web_search_call.searching", "response.reasoning_summary_text.delta"} <= set(types)
    done = valid(told[-1]["response"])
    assert kinds(done) == ["reasoning", "web_search_call", "message"]
    ended = [event["item"] for event in told if event["type"] == "response.output_item.done"]
    assert ended == done["output"]
    assert valid(stack.get(f"{PATH}/{done['id']}").json()) == done


def test_a_stream_is_taken_up_again(stack):
    """After its end, from any number on, the same events come once more."""
    told = events_of(stack, ask("web_search", tools=[SEARCH]))
    again = stack.get(
        f"{PATH}/{told[0]['response']['id']}", params={"stream": "true", "starting_after": 4}, stream=True
    )
    rest = [json.loads(line[6:]) for line in again.iter_lines() if line.startswith(b"data: ")]
    assert rest == told[5:]


def test_a_cut_stream_ends_like_a_translated_one(stack):
    """After the first words there is no other provider: the error, and the response with what was said, incomplete."""
    stack.sandbox.behave("openai", fault="error", text="word " * 40)
    told = events_of(
        stack, ask(model="native-first", provider={"order": ["openai", "groq"]}, continue_on_failover=True)
    )
    assert [event["type"] for event in told[-2:]] == ["error", "response.failed"]
    assert told[-2]["code"] == "stream_interrupted"
    failed = told[-1]["response"]
    assert failed["status"] == "failed"
    [item] = failed["output"]
    said = "".join(event["delta"] for event in told if event["type"] == "response.output_text.delta")
    assert (item["status"], item["content"][0]["text"]) == ("incomplete", said)
    assert said.startswith("word word")


def test_an_incomplete_answer(stack):
    """A limit on the output is the vendor's to keep, and the response says that it was met, in both ways."""
    body = create(stack, ask("Tell me a long story.", max_output_tokens=3))
    assert (body["status"], body["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    told = events_of(stack, ask("Tell me a long story.", max_output_tokens=3))
    assert told[-1]["type"] == "response.incomplete"


def test_background(stack):
    """It is polled for as any other; the vendor is not asked to do so itself."""
    queued = create(stack, ask("Later.", background=True))
    assert queued["status"] in ("queued", "in_progress")

    def look():
        found = valid(stack.get(f"{PATH}/{queued['id']}").json())
        return found if found["status"] == "completed" else None

    done = wait_until(look, what="the response")
    assert (done["background"], "Later." in words(done)) == (True, True)
    assert "background" not in sent(stack)[1]


def test_cancel(stack):
    """A cancelled one's call is closed."""
    stack.sandbox.behave("openai", latency_ms=8000)
    queued = create(stack, ask(background=True))
    wait_until(lambda: stack.sandbox.calls()["in_flight"] == 1, what="the call")
    assert create_at(stack, f"{PATH}/{queued['id']}/cancel")["status"] == "cancelled"
    wait_until(lambda: stack.sandbox.calls()["disconnected"] == 1, what="the closed call")


def create_at(stack, path):
    response = stack.post(None, path=path)
    assert response.status_code == 200, response.text
    return valid(response.json())


def test_a_conversation_changes_its_way(stack):
    """It goes on from a native answer as a chat, and from that one natively; each knows all that was said."""
    stack.sandbox.behave("openai", reasoning="Hm.")
    first = create(stack, ask("web_search my name: Ada.", tools=[SEARCH]))
    assert kinds(first) == ["reasoning", "web_search_call", "message"]
    second = create(stack, ask("Who am I?", TRANSLATED, previous_response_id=first["id"]))
    _, request = sent(stack)
    assert [message["role"] for message in request["messages"]] == ["user", "assistant", "user"]
    assert request["messages"][1]["content"] == words(first)
    third = create(stack, ask("Sure?", previous_response_id=second["id"]))
    _, request = sent(stack)
    assert "previous_response_id" not in request
    assert [(item["type"], item.get("role")) for item in request["input"]] == [
        ("message", "user"),
        ("reasoning", None),
        ("web_search_call", None),
        ("message", "assistant"),
        ("message", "user"),
        ("message", "assistant"),
        ("message", "user"),
    ]
    assert third["previous_response_id"] == second["id"]
    listed = stack.get(f"{PATH}/{third['id']}/input_items", params={"order": "asc"}).json()["data"]
    assert [item["type"] for item in listed] == [item["type"] for item in request["input"]]


def test_a_function_goes_round_natively(stack):
    """A call's output finds its call, though the vendor has kept nothing."""
    first = create(stack, ask("use get_weather", tools=[FUNCTION]))
    [call] = [item for item in first["output"] if item["type"] == "function_call"]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    second = create(stack, ask([output], tools=[FUNCTION], previous_response_id=first["id"]))
    assert "The tool said: sunny" in words(second)


@pytest.mark.parametrize("model", [NATIVE, TRANSLATED])
def test_an_item_is_referred_to(stack, model):
    """An item that this router named can be sent by its id; one that nobody has is refused and named."""
    first = create(stack, ask("My name is Ada.", TRANSLATED))
    reference = {"type": "item_reference", "id": first["output"][0]["id"]}
    body = create(
        stack, ask([{"role": "user", "content": "Hi."}, reference, {"role": "user", "content": "So?"}], model)
    )
    _, request = sent(stack)
    said = (request.get("input") or request["messages"])[1]
    assert words(first) in json.dumps(said)
    refused = stack.post(ask([{"type": "item_reference", "id": "msg_" + "0" * 32}], model), path=PATH)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "input[0].id"
    known = stack.get(f"{PATH}/{body['id']}/input_items").json()["data"][0]["id"]
    again = [{"type": "item_reference", "id": known}, {"role": "user", "content": "Sure?"}]
    create(stack, ask(again, model, previous_response_id=body["id"]))


def test_store_false_keeps_nothing(stack):
    """The conversation reaches the vendor all the same."""
    body = create(stack, ask("Secret.", store=False, tools=[SEARCH]))
    assert "Secret." in words(body)
    assert body["store"] is False
    assert stack.get(f"{PATH}/{body['id']}").status_code == 404


def test_the_record_holds_what_may_be_needed(stack):
    """A job that can only be translated has nothing more in its record than before; one that may go natively has."""
    for provider in ("groq", "openai"):
        stack.sandbox.behave(provider, latency_ms=8000)
    for model, held in ((TRANSLATED, False), (NATIVE, True)):
        queued = create(stack, ask(model=model, background=True, truncation="auto"))
        job = f"mr:job:{queued['id'].replace('resp_', 'job_')}"
        assert ("native" in json.loads(stack.redis.client.hget(job, "echo"))) is held
        assert "messages" in json.loads(stack.redis.client.hget(job, "request"))
        create_at(stack, f"{PATH}/{queued['id']}/cancel")


def test_the_sdk_streams_hosted_tools(client):
    """OpenAI's client puts the passed-on stream together by its own rules."""
    with client.responses.stream(model=NATIVE, input="web_search and get_weather", tools=[SEARCH, FUNCTION]) as stream:
        seen = {event.type for event in stream}
        final = stream.get_final_response()
    assert "response.web_search_call.completed" in seen
    assert [item.type for item in final.output] == ["web_search_call", "function_call"]
    assert client.responses.retrieve(final.id).id == final.id

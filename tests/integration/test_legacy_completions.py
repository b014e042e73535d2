"""POST /v1/completions on the running product."""

import pytest

from tests.support.stack import ended_object

pytestmark = pytest.mark.integration
PATH = "/v1/completions"
MODEL = "groq/openai/gpt-oss-20b"


def asking(prompt="Say hello.", **fields):
    return {"model": MODEL, "prompt": prompt, "max_tokens": 100, **fields}


@pytest.fixture
def unchanged(stack):
    """No job may appear during the test."""
    before = stack.job_count()
    yield stack
    assert stack.job_count() == before
    assert stack.sandbox.calls()["total"] == 0


def test_a_prompt_is_completed(stack):
    """A text completion, with its route; the job shows it."""
    response = stack.post(asking(["Say hello."]), path=PATH)
    assert response.status_code == 200, response.text
    body = response.json()
    assert (body["object"], body["choices"][0]["finish_reason"]) == ("text_completion", "stop")
    assert body["choices"][0]["text"].endswith("You said: Say hello.")
    assert body["usage"]["total_tokens"] > 0
    assert body["routing_metadata"]["attempts"][0]["provider"] == "groq"
    job = stack.get(f"/v1/jobs/{response.headers['X-Job-Id']}").json()
    assert job["response"] == body
    assert body["id"] == job["id"].replace("job_", "cmpl-")


def test_sixteen_tokens_unless_asked_otherwise(stack):
    """As at OpenAI, a text is short where nobody says how long it may be."""
    body = stack.post({"model": MODEL, "prompt": "word " * 100}, path=PATH).json()
    assert (body["choices"][0]["finish_reason"], body["usage"]["completion_tokens"]) == ("length", 16)


def test_an_echo_and_several_texts(stack):
    """With `echo` the prompt stands before each of `n` texts, at once or in the background."""
    body = asking("Once", n=2, echo=True, best_of=2) | {"model": "hugging-face/openai/gpt-oss-20b"}
    texts = [choice["text"] for choice in stack.post(body, path=PATH).json()["choices"]]
    assert len(texts) == 2
    assert all(text.startswith("Once[sandbox") for text in texts)
    job = stack.post({**body, "background": True}, path=PATH).json()
    answer = ended_object(stack, job["id"])["response"]
    assert [choice["text"] for choice in answer["choices"]] == texts


def test_an_echo_is_part_of_what_was_asked(stack):
    """An Idempotency-Key that comes with another echo is another request."""
    headers = {"Idempotency-Key": "echo-1"}
    assert stack.post(asking(), path=PATH, headers=headers).status_code == 200
    response = stack.post(asking(echo=True), path=PATH, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": MODEL}, "prompt"),
        ({"prompt": "x"}, "model"),
        (asking(None), "prompt"),
        (asking(5), "prompt"),
        (asking([]), "prompt"),
        (asking(["a", "b"]), "prompt"),
        (asking([1, 2]), "prompt"),
        (asking([[1, 2]]), "prompt"),
        (asking([None]), "prompt"),
        (asking(max_tokens=0), "max_tokens"),
        (asking(logprobs=True), "logprobs"),
        (asking(logprobs=6), "logprobs"),
        (asking(echo="yes"), "echo"),
        (asking(suffix="x"), "suffix"),
        (asking(best_of=3), "best_of"),
        (asking(n=2, best_of=1), "best_of"),
        (asking(stop=5), "stop"),
        (asking(n=0), "n"),
        (asking(messages=[]), "messages"),
        (asking(tools=[{}]), "tools"),
        (asking(top_logprobs=1), "top_logprobs"),
        (asking(provider="groq"), "provider"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_of_the_wrong_kind_is_named(unchanged, body, param):
    """OpenAI's error with the first field at fault."""
    response = unchanged.post(body, path=PATH)
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert (error["param"], error["type"]) == (param, "invalid_request_error")


def test_nulls_stand_for_absent(stack):
    """Clients that send every optional field as null are served."""
    names = ("suffix", "best_of", "echo", "logprobs", "n", "stop", "temperature", "tools", "seed")
    assert stack.post(asking(**dict.fromkeys(names)), path=PATH).status_code == 200

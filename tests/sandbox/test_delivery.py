"""Latency, pace and faults, on real connections."""

import http.client
import json
import time

import pytest

from tests.sandbox.wire import CHAT_PATHS, GEMINI_STREAM, chat, chat_body, key_headers, send, text_of

PROVIDERS = tuple(CHAT_PATHS)


def timed(call):
    started = time.monotonic()
    answer = call()
    return answer, time.monotonic() - started


def test_latency_delays_the_answer(sandbox):
    """An answer takes its latency, and not much more."""
    answer, took = timed(lambda: chat(sandbox.url, "groq", sandbox={"latency_ms": 300}))
    assert answer.status == 200
    assert 0.3 <= took < 2


def test_jitter_adds_up_to_its_amount(sandbox):
    """Jitter only adds, and differs from call to call."""
    body = {"latency_ms": 50, "latency_jitter_ms": 100}
    took = [timed(lambda: chat(sandbox.url, "groq", sandbox=body))[1] for _ in range(5)]
    assert min(took) >= 0.05
    assert max(took) - min(took) > 0.001


def test_pace_lengthens_an_answer_in_one_piece(sandbox):
    """An answer of 20 tokens at 50 a second takes 400 ms."""
    _, took = timed(lambda: chat(sandbox.url, "groq", sandbox={"tokens_per_s": 50, "text": "x" * 80}))
    assert took >= 0.4


def test_pace_spreads_a_stream(sandbox):
    """A paced stream's first event comes long before its last."""
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    body = chat_body("groq", stream=True, sandbox={"tokens_per_s": 20, "text": "x" * 40})
    started = time.monotonic()
    connection.request("POST", CHAT_PATHS["groq"], json.dumps(body), key_headers("groq"))
    response = connection.getresponse()
    assert response.readline().startswith(b"data: ")
    first = time.monotonic() - started
    assert b"[DONE]" in response.read()
    last = time.monotonic() - started
    connection.close()
    assert last - first > 0.4


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 429, 500, 502, 503, 529])
def test_status_fault_answers_with_an_error_body(sandbox, provider, status):
    """Any failing status comes with the vendor's kind of body."""
    answer = chat(sandbox.url, provider, sandbox={"fault": "status", "status": status})
    assert answer.status == status
    assert "error" in answer.json
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name != "google-gemini"])
def test_retry_after_is_a_header(sandbox, provider):
    """The seconds to wait are in the header, rounded up."""
    answer = chat(sandbox.url, provider, sandbox={"fault": "status", "status": 429, "retry_after": 6.5})
    assert answer.headers["retry-after"] == "7"


def test_geminis_retry_is_in_the_details(sandbox):
    """Gemini tells when to come back in RetryInfo and sends no header."""
    fault = {"fault": "status", "status": 429, "retry_after": 6.5}
    answer = chat(sandbox.url, "google-gemini", sandbox=fault)
    details = {detail["@type"].rpartition(".")[2]: detail for detail in answer.json["error"]["details"]}
    assert details["RetryInfo"]["retryDelay"] == "6.5s"
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("provider", PROVIDERS)
def test_reset_breaks_the_connection(sandbox, provider):
    """A reset is a reset: the client's system reports it, not an early end."""
    with pytest.raises(ConnectionResetError):
        chat(sandbox.url, provider, sandbox={"fault": "reset"})


def test_stall_answers_nothing(sandbox):
    """A stalled call says nothing, then its connection ends."""
    started = time.monotonic()
    with pytest.raises(http.client.RemoteDisconnected):
        chat(sandbox.url, "groq", sandbox={"fault": "stall", "stall_s": 0.3})
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("provider", PROVIDERS)
def test_cut_body_is_shorter_than_announced(sandbox, provider):
    """A cut answer ends before its Content-Length."""
    with pytest.raises(http.client.IncompleteRead) as cut:
        chat(sandbox.url, provider, sandbox={"fault": "cut"})
    assert len(cut.value.partial) > 0
    assert cut.value.expected > 0


@pytest.mark.parametrize("path", [CHAT_PATHS["groq"], CHAT_PATHS["anthropic"], GEMINI_STREAM])
def test_cut_stream_ends_in_the_middle(sandbox, path):
    """A cut stream sends events and then ends without its last ones."""
    provider = path.split("/")[1]
    extra = {} if provider == "google-gemini" else {"stream": True}
    with pytest.raises(http.client.IncompleteRead) as cut:
        send(sandbox.url, path, chat_body(provider, sandbox={"fault": "cut"}, **extra))
    received = cut.value.partial
    assert b"data: " in received
    assert not any(end in received for end in (b"[DONE]", b"message_stop", b"finishReason"))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_malformed_answer_is_a_200_without_json(sandbox, provider):
    """A malformed answer is whole for HTTP and broken for JSON."""
    answer = chat(sandbox.url, provider, sandbox={"fault": "malformed"})
    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)


def test_malformed_stream_has_a_broken_event(sandbox):
    """A malformed stream goes on around an event that is not JSON."""
    answer = chat(sandbox.url, "groq", stream=True, sandbox={"fault": "malformed"})
    with pytest.raises(json.JSONDecodeError):
        answer.events()
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_fault_over_the_control_route_ends_after_its_times(sandbox):
    """A fault set for two uses is met twice."""
    sandbox.behave("groq", fault="status", status=503, times=2)
    assert [chat(sandbox.url, "groq").status for _ in range(4)] == [503, 503, 200, 200]
    assert chat(sandbox.url, "openai").status == 200


def test_fault_for_everyone_meets_everyone(sandbox):
    """`*` stands for every provider."""
    sandbox.behave("*", text="the same")
    assert {text_of(provider, chat(sandbox.url, provider)) for provider in PROVIDERS} == {"the same"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_error_comes_after_half_a_stream(sandbox, provider):
    """The last event is the vendor's error; in one piece the answer fails with the status."""
    fault = {"fault": "error", "status": 503}
    path = GEMINI_STREAM if provider == "google-gemini" else CHAT_PATHS[provider]
    fields = {} if provider == "google-gemini" else {"stream": True}
    streamed = send(sandbox.url, path, chat_body(provider, sandbox=fault, **fields))
    assert streamed.status == 200
    *before, last = streamed.events()
    assert before
    assert "error" in last
    assert chat(sandbox.url, provider, sandbox=fault).status == 503
    assert sandbox.calls()["failed"] >= 2


def test_the_error_in_an_array_leaves_it_whole(sandbox):
    """Gemini's other stream, one JSON array, has the error as its last item."""
    path = GEMINI_STREAM.partition("?")[0]
    answer = send(sandbox.url, path, chat_body("google-gemini", sandbox={"fault": "error"}))
    assert answer.json[-1]["error"]["code"] == 503

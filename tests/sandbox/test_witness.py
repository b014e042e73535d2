"""The witness: what it counts, and that it is not fooled by a client that left."""

import contextlib
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.witness import BODIES, BODY_BYTES, LOGGED, Outcome, Witness
from tests.sandbox.wire import CHAT_PATHS, chat, chat_body, key_headers, send


def wait_for(sandbox, name, value, timeout_s=10.0):
    """Ask until a count has a value; returns the counts."""
    end = time.monotonic() + timeout_s
    while (counts := sandbox.calls())[name] != value:
        assert time.monotonic() < end, counts
    return counts


def call_under_way(sandbox, **behaviour):
    """A call that was sent, and whose answer nobody read yet."""
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    body = json.dumps(chat_body("groq", **behaviour.pop("fields", {}), sandbox=behaviour))
    connection.request("POST", CHAT_PATHS["groq"], body, key_headers("groq"))
    return connection


def test_calls_are_counted_by_how_they_ended(sandbox):
    """Every call is in the total and in exactly one outcome, also by provider."""
    chat(sandbox.url, "groq")
    chat(sandbox.url, "groq", sandbox={"fault": "status", "status": 429})
    chat(sandbox.url, "groq", sandbox={"fault": "status", "status": 500})
    chat(sandbox.url, "anthropic", key="bad")
    counts = sandbox.calls()
    groq = {"total": 3, "completed": 1, "refused_429": 1, "failed": 1, "disconnected": 0, "in_flight": 0}
    assert counts["by_provider"]["groq"] == groq
    assert counts["by_provider"]["anthropic"]["failed"] == 1
    assert (counts["total"], counts["completed"], counts["failed"]) == (4, 1, 2)


def test_listing_models_is_no_call(sandbox):
    """Only calls to models count; questions for models are counted apart."""
    send(sandbox.url, "/groq/openai/v1/models", method="GET")
    counts = sandbox.calls()
    assert (counts["total"], counts["by_provider"], counts["listings"]) == (0, {}, {"groq": 1})
    sandbox.reset()
    assert sandbox.calls()["listings"] == {}


@pytest.mark.parametrize("status", [401, 503])
def test_a_vendor_that_is_down_lists_nothing(sandbox, status):
    """The list of models meets a standing fault as calls do; one that passes is neither met nor used up by it."""
    path, key = "/groq/openai/v1/models", key_headers("groq")
    sandbox.behave("groq", fault="status", status=status)
    assert send(sandbox.url, path, headers=key, method="GET").status == status
    sandbox.behave("groq", fault="status", status=status, times=1)
    assert send(sandbox.url, path, headers=key, method="GET").status == 200
    assert chat(sandbox.url, "groq").status == status
    sandbox.behave("groq", fault="status", status=status, probability=0.999)
    assert send(sandbox.url, path, headers=key, method="GET").status == 200


def test_call_under_way_is_in_flight(sandbox):
    """A call that has not been answered is in flight, then completed."""
    connection = call_under_way(sandbox, latency_ms=600)
    wait_for(sandbox, "in_flight", 1)
    assert connection.getresponse().status == 200
    connection.close()
    assert wait_for(sandbox, "in_flight", 0)["completed"] == 1


@pytest.mark.parametrize("behaviour", [{"latency_ms": 60_000}, {"fault": "stall"}])
def test_client_that_left_is_disconnected_at_once(sandbox, behaviour):
    """A client that goes away while it waits is noticed then, not when its answer is due."""
    connection = call_under_way(sandbox, **behaviour)
    wait_for(sandbox, "in_flight", 1)
    connection.close()
    counts = wait_for(sandbox, "in_flight", 0)
    assert (counts["disconnected"], counts["completed"]) == (1, 0)


def test_client_that_left_a_stream_is_disconnected(sandbox):
    """A client that goes away in the middle of a stream was not answered."""
    connection = call_under_way(sandbox, tokens_per_s=10, text="x" * 4000, fields={"stream": True})
    response = connection.getresponse()
    assert response.readline().startswith(b"data: ")
    response.close()
    connection.close()
    counts = wait_for(sandbox, "in_flight", 0)
    assert (counts["disconnected"], counts["completed"]) == (1, 0)


@pytest.mark.parametrize("fault", ["reset", "cut", "malformed"])
def test_faulty_answer_is_not_completed(sandbox, fault):
    """An answer that was spoilt on purpose counts as failed."""
    with contextlib.suppress(OSError, http.client.IncompleteRead):
        chat(sandbox.url, "groq", sandbox={"fault": fault})
    assert wait_for(sandbox, "in_flight", 0)["failed"] == 1


def test_log_tells_each_call(sandbox):
    """The log has provider, model, marker, status and times; completed calls are counted by marker."""
    text = "job 17 " + "x" * 100
    for _ in range(2):
        chat(sandbox.url, "groq", text)
    chat(sandbox.url, "groq", "other", sandbox={"fault": "status", "status": 500})
    calls = sandbox.calls(log=True)
    assert calls["completed_by_marker"] == {text[:64]: 2}
    first, _, last = calls["log"]
    assert (first["provider"], first["model"], first["marker"]) == ("groq", "model-1", text[:64])
    assert (first["status"], first["outcome"]) == (200, "completed")
    assert first["started_ms"] <= first["finished_ms"] <= time.time() * 1000 + 1
    assert (last["status"], last["outcome"], last["marker"]) == (500, "failed", "other")


def test_calls_are_counted_while_many_run(sandbox):
    """Nothing is lost or counted twice under concurrency."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: chat(sandbox.url, "groq", f"call {n}"), range(200)))
    calls = sandbox.calls(log=True)
    assert (calls["total"], calls["completed"]) == (200, 200)
    assert calls["completed_by_marker"] == {f"call {n}": 1 for n in range(200)}


def test_reset_forgets_calls_under_way():
    """A call from before a reset does not show up after it."""
    witness = Witness()
    call = witness.begin("groq", 1.0)
    witness.reset()
    witness.end(call, Outcome.COMPLETED, 2.0)
    assert witness.counts() == {
        "total": 0,
        "completed": 0,
        "refused_429": 0,
        "failed": 0,
        "disconnected": 0,
        "in_flight": 0,
        "by_provider": {},
        "listings": {},
    }
    assert witness.log() == {"log": [], "completed_by_marker": {}}


def test_log_is_bounded():
    """The log keeps the last calls only; the counts keep all."""
    witness = Witness()
    for _ in range(LOGGED + 10):
        witness.end(witness.begin("groq", 1.0), Outcome.COMPLETED, 2.0)
    assert len(witness.log()["log"]) == LOGGED
    assert witness.counts()["completed"] == LOGGED + 10


def test_bodies_of_the_last_calls(sandbox):
    """What was asked for is kept, refused or not, with its path and without the behaviour; only of the last calls."""
    chat(sandbox.url, "groq", sandbox={"text": "hi"})
    chat(sandbox.url, "anthropic", key="bad")
    [asked, refused] = sandbox.bodies()
    assert asked == {"provider": "groq", "path": "/openai/v1/chat/completions", "body": chat_body("groq")}
    assert refused["path"] == "/v1/messages"
    for _ in range(BODIES):
        chat(sandbox.url, "groq")
    assert {body["provider"] for body in sandbox.bodies()} == {"groq"}
    assert len(sandbox.bodies()) == BODIES
    sandbox.reset()
    assert sandbox.bodies() == []


@pytest.mark.parametrize(("sent", "seen"), [(b"no JSON", [None]), (b"[1]", [[1]]), (b"1" * (BODY_BYTES + 1), [])])
def test_bodies_that_are_no_requests(sandbox, sent, seen):
    """A body that is no JSON is null, and a huge one is not kept."""
    send(sandbox.url, CHAT_PATHS["groq"], sent, headers=key_headers("groq"))
    assert [body["body"] for body in sandbox.bodies()] == seen

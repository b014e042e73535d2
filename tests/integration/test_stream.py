"""Streams: what comes in goes out at once, and whoever lost it gets the rest."""

import http.client
import json
import socket

import pytest

from tests.support.events import Received, chunks, received, said
from tests.support.process_node import wait_until
from tests.support.stack import KEY, chat, dump, ended_object

pytestmark = pytest.mark.integration
AUTH = {"Authorization": f"Bearer {KEY}"}
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}


@pytest.fixture
def stream(stack):
    """Ask for a stream of `text`; the response is not read yet."""
    opened = []

    def ask(text="Say hello.", headers=(), **fields):
        body = chat(text, stream=True, **fields)
        response = stack.post(body, stream=True, headers={**AUTH, **dict(headers)})
        opened.append(response)
        return response

    yield ask
    for response in opened:
        response.close()


@pytest.fixture
def resume(stack):
    """Ask for the rest of a job's stream."""

    def ask(job_id, after=None, **headers):
        query = "" if after is None else f"?starting_after={after}"
        return stack.get(f"/v1/jobs/{job_id}/stream{query}", stream=True, headers={**AUTH, **headers})

    return ask


def test_a_stream_says_what_the_answer_says(stack, stream):
    """Chunks in OpenAI's form: the role first, the same id in all, the finish last, then [DONE]; numbered from 1."""
    response = stream("One two three four five six.")
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert response.headers["X-Job-Id"].startswith("job_")
    assert response.headers["X-Provider"] == "groq"
    events = chunks(response)
    whole = stack.post(chat("One two three four five six.")).json()
    assert said(events) == whole["choices"][0]["message"]["content"]
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert {event.data["object"] for event in events} == {"chat.completion.chunk"}
    assert len({(event.data["id"], event.data["created"], event.data["model"]) for event in events}) == 1
    assert events[0].data["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert events[-1].data["choices"][0]["finish_reason"] == "stop"
    assert all(event.data["choices"][0]["finish_reason"] is None for event in events[:-1])
    attempts = events[-1].data["routing_metadata"]["attempts"]
    assert [attempt["status"] for attempt in attempts] == ["completed"]


def test_the_last_chunk_tells_the_usage_to_who_asks(stack, stream):
    """With include_usage the last chunk has no choices and the usage, which is null in all others."""
    events = chunks(stream(stream_options={"include_usage": True}))
    whole = stack.post(chat("Say hello.")).json()
    assert events[-1].data["choices"] == []
    assert events[-1].data["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"]
    assert all(event.data["usage"] is None for event in events[:-1])
    assert not any("usage" in event.data for event in chunks(stream()))


def test_the_job_keeps_the_whole_answer(stack, stream):
    """A poll shows the answer under the id its chunks had, as if it had not been streamed."""
    response = stream()
    events = chunks(response)
    job = ended_object(stack, response.headers["X-Job-Id"])
    assert job["status"] == "completed"
    assert job["response"]["id"] == events[0].data["id"]
    assert job["response"]["choices"][0]["message"]["content"] == said(events)


def test_chunks_come_while_the_provider_speaks(stack, stream):
    """The first words are here while the provider is still at work."""
    stack.sandbox.behave("groq", tokens_per_s=10, text="word " * 20)
    events = received(stream())
    first = [next(events), next(events)]
    assert first[1].content
    assert stack.sandbox.calls()["in_flight"] == 1
    assert said([event for event in [*first, *events] if event.data != "[DONE]"]) == "word " * 20


def test_a_silent_stream_is_kept(stack, stream):
    """While a job waits, the response begins and holds comments; the answer follows."""
    stack.sandbox.behave("groq", latency_ms=2500)
    lines = list(stream().iter_lines())
    assert lines[0] == b": the answer is awaited"
    assert lines[-2] == b"data: [DONE]"


@pytest.mark.parametrize("how", ["query", "header", "key"])
@pytest.mark.parametrize("when", ["live", "ended"])
def test_who_comes_back_gets_the_rest(stack, stream, resume, how, when):
    """From exactly the next event on, by starting_after, Last-Event-ID or the Idempotency-Key, whenever it is."""
    stack.sandbox.behave("groq", tokens_per_s=40, text="word " * 20)
    key = {"Idempotency-Key": f"stream-{how}-{when}"}
    response = stream(headers=key)
    job_id, seen = response.headers["X-Job-Id"], []
    for event in received(response):
        seen.append(event)
        if len(seen) == 5:
            break
    response.close()
    if when == "ended":
        assert ended_object(stack, job_id)["status"] == "completed"
    if how == "query":
        rest = chunks(resume(job_id, after=5))
    elif how == "header":
        rest = chunks(resume(job_id, **{"Last-Event-ID": "5"}))
    else:
        again = stream(headers={**key, "Last-Event-ID": "5"})
        assert (again.headers["X-Job-Id"], again.headers["Idempotent-Replayed"]) == (job_id, "true")
        rest = chunks(again)
    assert [event.number for event in [*seen, *rest]] == list(range(1, len(seen) + len(rest) + 1))
    assert said([*seen, *rest]) == "word " * 20
    assert chunks(resume(job_id)) == [*seen, *rest]
    assert stack.sandbox.calls()["total"] == 1


def test_nothing_is_left_after_the_last_event(stream, resume):
    """Who has seen all gets only the end."""
    response = stream()
    last = chunks(response)[-1].number
    assert chunks(resume(response.headers["X-Job-Id"], after=last)) == []


def test_a_background_job_can_be_followed(stack, resume):
    """`background` with `stream` answers with the job, whose stream is at its address."""
    job = stack.post(chat("Say hello.", stream=True, background=True)).json()
    assert said(chunks(resume(job["id"]))).endswith("Say hello.")


def test_failover_is_silent_before_the_first_word(stack, stream):
    """A provider that fails before its first content is not noticed: another one's stream is the answer."""
    stack.sandbox.behave("groq", fault="status", status=503)
    response = stream(model="fast")
    assert response.headers["X-Provider"] != "groq"
    events = chunks(response)
    assert said(events)
    attempts = events[-1].data["routing_metadata"]["attempts"]
    assert attempts[-1]["status"] == "completed"


def test_a_stream_that_cannot_begin_has_a_status(stack, stream):
    """When every provider fails before a word, the answer is the plain error with its status."""
    stack.sandbox.behave("*", fault="status", status=503)
    response = stream()
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "all_providers_failed"


def test_a_cut_ends_in_an_error_chunk(stack, stream, resume):
    """What was sent stays; the error follows in OpenAI's form, without [DONE], and again for who comes back."""
    stack.sandbox.behave("groq", fault="cut", tokens_per_s=100, text="word " * 20)
    response = stream()
    *content, error = received(response)
    assert 0 < len(said(content)) < len("word " * 20)
    assert error.data["error"]["code"] == "stream_interrupted"
    assert set(error.data["error"]) == {"message", "type", "param", "code"}
    job = ended_object(stack, response.headers["X-Job-Id"])
    assert (job["status"], job["error"]["code"]) == ("failed", "stream_interrupted")
    assert list(received(resume(job["id"], after=content[-1].number))) == [error]
    assert stack.sandbox.calls()["total"] == 1


def test_another_provider_goes_on_where_one_broke_off(stack, stream):
    """With continue_on_failover nothing is said twice or lost: the pieces make the answer, and the attempts tell it."""
    stack.sandbox.behave("groq", fault="cut", tokens_per_s=200, text="from groq " * 10)
    stack.sandbox.behave("hugging-face", text="from another")
    response = stream(model="fast", continue_on_failover=True, provider={"order": ["groq"]})
    events = chunks(response)
    job = ended_object(stack, response.headers["X-Job-Id"])
    assert job["status"] == "completed"
    assert said(events) == job["response"]["choices"][0]["message"]["content"]
    assert said(events).startswith("from groq ")
    assert said(events).endswith("from another")
    *broken, last = job["attempts"]
    assert {(attempt["provider"], attempt["status"]) for attempt in broken} == {("groq", "failed")}
    assert (last["provider"], last["status"]) == ("hugging-face", "completed")
    assert said(events) == said(events)[: last["continued"]] + "from another"
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert len({event.data["id"] for event in events}) == 1


def test_nobody_goes_on_with_a_tool_call(stack, stream):
    """What cannot be said again as a message's beginning is not continued, but ends in the error."""
    stack.sandbox.behave("groq", fault="cut", tokens_per_s=200)
    tool = {"type": "function", "function": {"name": "look_up", "parameters": WEATHER}}
    fields = {"tools": [tool], "tool_choice": "required", "continue_on_failover": True}
    *_, last = received(stream(model="fast", provider={"order": ["groq"]}, **fields))
    assert last.data["error"]["code"] == "stream_interrupted"


def test_what_a_cut_stream_used_is_accounted(stack, stream):
    """The tenant's usage has the tokens that were made before the cut, as an estimate."""
    before = usage(stack)
    stack.sandbox.behave("groq", fault="cut", tokens_per_s=100, text="word " * 40)
    response = stream()
    list(received(response))
    ended_object(stack, response.headers["X-Job-Id"])
    after = usage(stack)
    assert after["completion_tokens"] > before["completion_tokens"]
    assert after["cost_microusd"] > before["cost_microusd"]
    assert after["requests"] == before["requests"]


def test_a_caller_that_goes_ends_the_call(stack, stream):
    """Its job is cancelled, the provider sees the connection close within a second, and what was made is accounted."""
    before = usage(stack)
    stack.sandbox.behave("groq", tokens_per_s=20, text="word " * 400)
    response = stream()
    events = received(response)
    [next(events) for _ in range(10)]
    response.close()
    wait_until(lambda: stack.sandbox.calls()["disconnected"] == 1, what="the closed call")
    job = ended_object(stack, response.headers["X-Job-Id"])
    assert job["status"] == "cancelled"
    wait_until(lambda: usage(stack)["completion_tokens"] > before["completion_tokens"], what="the account")
    [attempt] = stack.get(f"/v1/jobs/{job['id']}").json()["attempts"]
    assert attempt["status"] == "cancelled"
    assert attempt["cost_microusd"] > 0


def test_a_detached_stream_goes_on(stack, stream, resume):
    """With on_disconnect detach the answer is finished and kept, and its stream can be followed to the end."""
    stack.sandbox.behave("groq", tokens_per_s=50, text="word " * 50)
    response = stream(on_disconnect="detach")
    next(received(response))
    response.close()
    assert said(chunks(resume(response.headers["X-Job-Id"]))) == "word " * 50


def test_a_cancelled_stream_ends_with_the_error(stack, stream):
    """Who follows a job that is cancelled is told so."""
    stack.sandbox.behave("groq", tokens_per_s=20, text="word " * 400)
    response = stream()
    events = received(response)
    next(events)
    stack.post({}, path=f"/v1/jobs/{response.headers['X-Job-Id']}/cancel")
    *_, last = events
    assert last.data["error"]["code"] == "job_cancelled"


def test_two_callers_follow_one_stream(stack, stream, resume):
    """Each gets every event once."""
    stack.sandbox.behave("groq", tokens_per_s=40, text="word " * 30)
    response = stream()
    also = resume(response.headers["X-Job-Id"])
    assert chunks(response) == chunks(also)


def test_the_stream_of_another_tenant_is_not_there(stream, resume):
    """404, as for every job of somebody else's."""
    response = stream()
    chunks(response)
    job_id = response.headers["X-Job-Id"]
    assert resume(job_id, Authorization="Bearer ak-rival").status_code == 404


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 12])
def test_a_place_that_is_no_number_is_refused(stack, resume, after):
    """400 that names the parameter."""
    job = stack.post(chat("Say hello.", background=True)).json()
    response = resume(job["id"], after=after)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "starting_after")


def test_a_job_without_a_stream_says_so(stack, resume):
    """400 that says where its answer is."""
    job = stack.post(chat("Say hello.", background=True)).json()
    response = resume(job["id"])
    assert response.status_code == 400
    assert job["id"] in response.json()["error"]["message"]


def test_stream_options_need_a_stream(stack):
    """As OpenAI refuses them."""
    response = stack.post(chat("Say hello.", stream_options={"include_usage": True}))
    assert (response.status_code, response.json()["error"]["param"]) == (400, "stream_options")


def test_a_slow_reader_gets_all(stack):
    """Who does not read until the end misses nothing, though far more is to be sent than buffers on the way hold."""
    text = "0123456789" * 15_000
    stack.sandbox.behave("groq", text=text)
    connection = http.client.HTTPConnection("127.0.0.1", stack.api.port, timeout=20)
    connection.sock = socket.socket()
    # Small buffers, so that the response has to wait for its reader.
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    connection.sock.connect(("127.0.0.1", stack.api.port))
    connection.request("POST", "/v1/chat/completions", dump(chat("Hi", stream=True)), AUTH)
    response = connection.getresponse()
    job = ended_object(stack, response.headers["X-Job-Id"])
    assert job["response"]["choices"][0]["message"]["content"] == text
    lines = response.read().split(b"\n")
    connection.close()
    events = [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]
    assert "".join(event["choices"][0]["delta"].get("content", "") for event in events) == text
    assert [int(line[4:]) for line in lines if line.startswith(b"id: ")] == list(range(1, len(events) + 1))


def usage(stack) -> dict[str, int]:
    """What the demo tenant has used in all."""
    counts = {"completion_tokens": 0, "cost_microusd": 0, "requests": 0}
    for key in stack.redis.client.scan_iter("mr:usage:default:*"):
        for name, count in stack.redis.client.hgetall(key).items():
            counts[name] = counts.get(name, 0) + int(count)
    return counts


def test_events_are_json(stream):
    """No event but [DONE] is anything else."""
    for event in received(stream("Zeilen\numbruch \u2028 \U0001f600")):
        assert isinstance(event, Received)
        assert event.data == "[DONE]" or json.dumps(event.data)

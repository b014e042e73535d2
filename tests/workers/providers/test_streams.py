"""One suite over every dialect's streams, from the sandbox's own wire formats, read as a worker reads them."""

import copy
import json

import pytest
from openai.types.chat import ChatCompletionChunk

from routing.errors import (
    MalformedAnswer,
    NotExpressible,
    ProviderFailed,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from tests.support.dialects import CASES, TIME, WEATHER, user
from tests.support.sandbox_process import SandboxProcess
from workers.provider_http import ProviderHttp
from workers.providers.base import Account
from workers.providers.registry import DIALECTS, adapter

BOTH_TOOLS = {"messages": [user("use get_weather and get_time")], "tools": [WEATHER, TIME]}
EMPTY = (None, "", [], {})


@pytest.fixture(scope="module")
def sandbox():
    """The sandbox in a process of its own."""
    with SandboxProcess() as process:
        yield process


@pytest.fixture(scope="module")
def http():
    """A worker's connections."""
    http = ProviderHttp(concurrency=4)
    yield http
    http.close()


class Asked:
    """A provider, asked for a stream, or for the same answer in one piece."""

    def __init__(self, case, url, http, key="sk-test"):
        self.case = case
        self.provider = adapter(Account(case.name, url + case.path, key), case.dialect)
        self.http = http
        self.entries = []
        self.reader = None

    def stream(self, timeout_s=10, **request):
        """The whole answer out of its stream; `entries` and `reader` are kept whatever happens."""
        call = self.provider.call(self.case.model, {**request, "stream": True, "stream_options": {"x": 1}})
        with self.http.open(call, timeout_s) as reply:
            if reply.status != 200:
                raise self.provider.failure(reply.read())
            self.reader = self.provider.stream(self.case.model, reply.headers)
            self.entries = []
            for piece in reply.pieces():
                self.entries += self.reader.feed(piece)
        return self.reader.completion()

    def whole(self, **request):
        """The same in one piece."""
        return self.provider.completion(
            self.case.model, self.http.send(self.provider.call(self.case.model, request), 10)
        )

    def deltas(self, name):
        """What the deltas of choice 0 say of one field, in order."""
        return [entry["delta"][name] for entry in self.entries if entry["index"] == 0 and name in entry["delta"]]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def ask(request, sandbox, http):
    """One provider after the other."""
    return Asked(request.param, sandbox.url, http)


def comparable(completion):
    """A completion without what differs from one answer to the next: ids, times, the spacing of JSON."""
    body = copy.deepcopy(completion.body)
    for name in ("id", "created", "x_groq", "usage_breakdown"):
        body.pop(name, None)
    for choice in body["choices"]:
        message = choice["message"]
        message.setdefault("refusal", None)
        for call in message.get("tool_calls", ()):
            del call["id"]
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        if (message["content"] or "").startswith("{"):
            message["content"] = json.loads(message["content"])
    return body


def check_entries(entries):
    """Each entry is one of OpenAI's chunk, says something, and comes before its choice's one finish reason."""
    finished = set()
    for entry in entries:
        assert entry["index"] not in finished
        assert "role" not in entry["delta"]
        assert entry["delta"] or entry["finish_reason"] or entry["logprobs"]
        assert all(value not in EMPTY for value in entry["delta"].values())
        if entry["finish_reason"]:
            finished.add(entry["index"])
    body = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": entries}
    ChatCompletionChunk.model_validate(body, strict=True)
    assert finished == {entry["index"] for entry in entries}


@pytest.mark.parametrize(
    "request_",
    [
        {"messages": [user("hello there, grüße 🎉")]},
        BOTH_TOOLS,
        {"messages": [user("go")], "tools": [TIME], "tool_choice": "required"},
        {"messages": [user("answer in JSON")], "response_format": {"type": "json_object"}},
        {"messages": [user("word " * 100)], "max_tokens": 3},
        {"messages": [user("alpha STOPHERE omega")], "stop": "STOPHERE"},
        {"messages": [user("hi")], "sandbox": {"text": ""}},
        {"messages": [user("hi")], "sandbox": {"reasoning": "let me think about this"}},
        {**BOTH_TOOLS, "sandbox": {"reasoning": "let me think about this"}},
        {"messages": [user("hi")], "sandbox": {"refusal": "I will not."}},
        {"messages": [user("a prompt " * 9)], "sandbox": {"cached_tokens": 2, "reasoning_tokens": 9}},
        {"messages": [user("hi")], "n": 2},
    ],
    ids=["text", "tools", "tool", "json", "length", "stop", "empty", "reasoning", "signed", "refusal", "usage", "n"],
)
def test_the_stream_is_the_answer(ask, request_):
    """What is gathered from the stream equals the answer in one piece; each entry is OpenAI's, and in order."""
    try:
        whole = ask.whole(**request_)
    except NotExpressible as error:
        assert (error.param, ask.case.dialect in ("groq", "anthropic")) == ("n", True)  # noqa: PT017 - one outcome
        return
    streamed = ask.stream(**request_)
    assert comparable(streamed) == comparable(whole)
    assert streamed.usage == whole.usage == ask.reader.usage
    assert ask.reader.done
    check_entries(ask.entries)


def test_text_comes_in_pieces(ask):
    """The words come token by token, and the finish after them."""
    ask.stream(messages=[user("hello")])
    assert len(ask.deltas("content")) > 5
    assert ask.entries[-1] == {"index": 0, "delta": {}, "finish_reason": "stop"}


def test_parallel_calls_are_numbered(ask):
    """Each call begins with id, type and name, under its own index; then come its arguments alone."""
    ask.stream(**BOTH_TOOLS)
    pieces = [call for calls in ask.deltas("tool_calls") for call in calls]
    seen = set()
    for piece in pieces:
        first = piece["index"] not in seen
        assert ("id" in piece, "type" in piece, "name" in piece["function"]) == (first, first, first)
        seen.add(piece["index"])
    assert seen == {0, 1}
    assert [piece["function"]["name"] for piece in pieces if "id" in piece] == ["get_weather", "get_time"]
    assert ask.entries[-1]["finish_reason"] == "tool_calls"


def test_thinking_goes_back(ask):
    """A signed tool call gathered from a stream is accepted in the next turn's history."""
    made = ask.stream(**BOTH_TOOLS, sandbox={"reasoning": "hm"}).body["choices"][0]["message"]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "fine"} for call in made["tool_calls"]]
    again = ask.stream(
        messages=[*BOTH_TOOLS["messages"], made, *results], tools=BOTH_TOOLS["tools"], reasoning_effort="low"
    )
    assert "fine" in again.body["choices"][0]["message"]["content"]
    if ask.case.dialect in ("anthropic", "google-gemini"):
        assert made["tool_calls"][0]["extra_content"]


def test_a_cut_is_told(ask):
    """A stream that breaks is unreachable; what came before was told, and is not taken for the answer."""
    with pytest.raises(ProviderUnreachable):
        ask.stream(messages=[user("hello")], sandbox={"fault": "cut"})
    assert ask.deltas("content")
    assert not ask.reader.done
    with pytest.raises(MalformedAnswer):
        ask.reader.completion()


def test_an_error_in_the_midst(ask):
    """An error event is the error its status stands for, after what came before it, and again at the end."""
    with pytest.raises(ProviderFailed) as caught:
        ask.stream(messages=[user("hello")], sandbox={"fault": "error"})
    assert ask.deltas("content")
    assert caught.value.message
    with pytest.raises(ProviderFailed):
        ask.reader.feed(b"")


@pytest.mark.parametrize(("status", "kind"), [(429, ProviderRateLimited), (400, ProviderRefused)])
def test_an_error_in_the_midst_is_classed(ask, status, kind):
    """As an answer with that status would be."""
    with pytest.raises(kind):
        ask.stream(messages=[user("hello")], sandbox={"fault": "error", "status": status})


def test_a_broken_event_is_malformed(ask):
    """An event that is no JSON, in the midst."""
    with pytest.raises(MalformedAnswer):
        ask.stream(messages=[user("hello")], sandbox={"fault": "malformed"})
    assert ask.deltas("content")


@pytest.mark.parametrize("behaviour", [{"fault": "stall"}, {"tokens_per_s": 0.1}], ids=["before", "within"])
def test_a_stall_times_out(ask, behaviour):
    """A provider that falls silent, before its answer or within it."""
    with pytest.raises(ProviderTimeout):
        ask.stream(timeout_s=0.2, messages=[user("hello")], sandbox=behaviour)


@pytest.mark.parametrize(("status", "kind"), [(429, ProviderRateLimited), (503, ProviderFailed)])
def test_a_refusal_before_the_stream(ask, status, kind):
    """An answer that is not 2xx is read whole and classed."""
    with pytest.raises(kind):
        ask.stream(messages=[user("hi")], sandbox={"fault": "status", "status": status})


def test_a_bad_key_before_the_stream(ask, sandbox, http):
    """A key the provider does not know is ours to mend."""
    with pytest.raises(ProviderMisconfigured):
        Asked(ask.case, sandbox.url, http, key="bad-key").stream(messages=[user("hi")])


def test_a_whole_answer_to_a_streaming_call(ask):
    """A vendor that answers JSON all the same is read: each choice is one delta."""
    call = ask.provider.call(ask.case.model, BOTH_TOOLS)
    with ask.http.open(call, 10) as reply:
        body = b"".join(reply.pieces())
        reader = ask.provider.stream(ask.case.model, reply.headers)
    entries = [entry for at in range(0, len(body), 7) for entry in reader.feed(body[at : at + 7])]
    assert [call["index"] for call in entries[0]["delta"]["tool_calls"]] == [0, 1]
    assert [entry["finish_reason"] for entry in entries] == ["tool_calls"]
    check_entries(entries)
    assert comparable(reader.completion()) == comparable(ask.whole(**BOTH_TOOLS))
    assert reader.done


def test_a_page_of_html_is_malformed(ask):
    """A 200 that is neither events nor JSON is no answer."""
    reader = ask.provider.stream(ask.case.model, {"content-type": "text/html"})
    assert reader.feed(b"<html>\n\nhello\n\n</html>") == []
    with pytest.raises(MalformedAnswer):
        reader.completion()


def test_every_dialect_is_here():
    """No dialect is left out of the suite."""
    assert {case.dialect for case in CASES} == set(DIALECTS)

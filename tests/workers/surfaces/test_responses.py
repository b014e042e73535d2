"""A chat answer as a response, whole and streamed: what the SDK's types take, and the same both ways."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.response_stream import accumulated, texts, valid
from workers.surfaces.base import Head
from workers.surfaces.registry import RESPONSES, surface_of
from workers.surfaces.responses_request import echo_of

JOB = "job_" + "0123456789abcdef" * 2
HEX = JOB.removeprefix("job_")
TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}, "strict": True}
REQUEST = {
    "model": "fast",
    "input": "Hello!",
    "instructions": "Be short.",
    "tools": [TOOL],
    "tool_choice": {"type": "function", "name": "get_weather"},
    "temperature": 0.5,
    "text": {"verbosity": "low"},
    "reasoning": {"effort": "low"},
    "metadata": {"k": "v"},
    "service_tier": "flex",
}
HEAD = Head(JOB, "m", 1_700_000_000, echo=echo_of(REQUEST, [{"role": "user", "content": "Hello!"}]))
USAGE = {
    "prompt_tokens": 7,
    "completion_tokens": 5,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 3},
}


def completion(message, finish="stop", **choice):
    """A chat answer of one choice."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, **choice}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": "m", "choices": [choice], "usage": USAGE}


def answer(message, finish="stop", **choice):
    """The response to it, valid."""
    return valid(RESPONSES.answer(completion(message, finish, **choice), HEAD))


def written(*choices, ends=None):
    """The events of choice deltas, and of the end."""
    writer = RESPONSES.writer(HEAD)
    events = [event for choice in choices for event in writer.choice({"index": 0, **choice})]
    return [*events, *(writer.completed(ends) if ends is not None else ())]


def test_a_text_answer():
    """Text is a message; usage is in the API's words; the request is repeated."""
    shown = answer({"content": "Hi."})
    assert shown["id"] == f"resp_{HEX}"
    assert shown["status"] == "completed"
    [item] = shown["output"]
    assert item["id"] == f"msg_{HEX}"
    assert item["content"] == [{"type": "output_text", "text": "Hi.", "annotations": [], "logprobs": []}]
    assert shown["usage"] == {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 12,
    }
    for name in ("instructions", "temperature", "tool_choice", "metadata", "service_tier"):
        assert shown[name] == REQUEST[name]
    assert shown["tools"] == [{**TOOL, "description": None}]
    assert shown["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert shown["reasoning"] == {"effort": "low", "summary": None}
    assert "input" not in shown


def test_the_conversation_is_not_shown():
    """What is kept to go on from is no part of the response."""
    assert HEAD.echo["input"]
    assert "Hello!" not in json.dumps(answer({"content": "Hi."}))


def test_reasoning_message_and_calls_are_items_in_this_order():
    """Each is an item of its own, with what vendors want back beside."""
    calls = [
        {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"g": 1}},
        {"id": "call_b", "type": "function", "function": {"name": "g", "arguments": '{"x":1}'}},
    ]
    message = {"content": "Let me see.", "reasoning_content": "Hm.", "tool_calls": calls, "extra_content": {"h": 2}}
    thought, said, first, second = answer(message, "tool_calls")["output"]
    assert thought == {
        "id": f"rs_{HEX}",
        "type": "reasoning",
        "status": "completed",
        "summary": [{"type": "summary_text", "text": "Hm."}],
    }
    assert said["extra_content"] == {"h": 2}
    assert (first["id"], first["call_id"], first["name"], first["arguments"]) == (f"fc_{HEX}", "call_a", "f", "{}")
    assert first["extra_content"] == {"g": 1}
    assert (second["id"], second["call_id"]) == (f"fc_{HEX}_1", "call_b")


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_a_cut_answer_is_incomplete(finish, reason):
    """The response says why, and its last item is incomplete."""
    shown = answer({"content": "Half an", "reasoning_content": "Hm."}, finish)
    assert shown["status"] == "incomplete"
    assert shown["incomplete_details"] == {"reason": reason}
    assert [item["status"] for item in shown["output"]] == ["completed", "incomplete"]


def test_a_refusal_is_a_part():
    """A refusal is no text."""
    [item] = answer({"content": None, "refusal": "No."}, "content_filter")["output"]
    assert item["content"] == [{"type": "refusal", "refusal": "No."}]


def test_an_empty_answer_is_an_empty_message():
    """There is always an item to look at."""
    assert answer({"content": ""})["output"][0]["content"][0]["text"] == ""
    assert answer({"content": None})["output"][0]["content"][0]["text"] == ""


def test_sources_logprobs_and_pictures_come_through():
    """What providers add to a text is told in the API's words."""
    cited = {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 2, "title": "T", "url": "u"}}
    token = {"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": [{"token": "Hi", "logprob": -0.5}]}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    message = {"content": "Hi", "annotations": [cited], "images": [picture]}
    said, shown = answer(message, logprobs={"content": [token]})["output"]
    part = said["content"][0]
    assert part["annotations"] == [{"type": "url_citation", "start_index": 0, "end_index": 2, "title": "T", "url": "u"}]
    assert part["logprobs"][0]["top_logprobs"] == [{"token": "Hi", "logprob": -0.5, "bytes": []}]
    assert shown == {"id": f"ig_{HEX}", "type": "image_generation_call", "status": "completed", "result": "QUJD"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("refusal", "reasoning_content", "reasoning_details", "annotations", "images", "extra_content")


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON),
    JSON,
    JSON,
    st.lists(st.fixed_dictionaries({"type": st.just("custom"), "custom": JSON}), max_size=2),
)
def test_whatever_a_provider_adds_the_answer_is_valid(message, logprobs, usage, calls):
    """Fields that no adapter makes sure of make no answer invalid, and raise nothing."""
    body = completion({"content": "x", **message, "tool_calls": calls}, logprobs=logprobs)
    valid(RESPONSES.answer({**body, "usage": usage}, HEAD))
    delta = {**message, "tool_calls": calls}
    accumulated(written({"delta": delta, "logprobs": logprobs, "finish_reason": "stop"}))


WORDS = st.text(max_size=8)
LOGPROBS = st.none() | st.just({"content": [{"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}]})
CALLS = st.lists(st.tuples(WORDS.filter(bool), st.lists(WORDS, max_size=3), st.booleans()), max_size=3)


@settings(deadline=None)
@given(
    st.lists(WORDS, max_size=3),
    st.lists(st.tuples(WORDS, LOGPROBS), max_size=4),
    st.lists(WORDS, max_size=2),
    CALLS,
    st.sampled_from(["stop", "tool_calls", "length", "content_filter"]),
    st.randoms(use_true_random=False),
)
def test_the_stream_tells_the_answer(thoughts, said, refusals, calls, finish, rng):
    """Put together by the SDK's rules, the events of any cut of an answer are the answer, item by item."""
    tool_calls = []
    deltas = [{"delta": {"reasoning_content": words}} for words in thoughts]
    deltas += [{"delta": {"content": words}, "logprobs": logprobs} for words, logprobs in said]
    deltas += [{"delta": {"refusal": words}} for words in refusals]
    pieces = []
    for index, (name, arguments, extra) in enumerate(calls):
        function = {"name": name, "arguments": "".join(arguments)}
        call = {"id": f"call_{index}", "type": "function", "function": function}
        hung = {"extra_content": {"google": {"thought_signature": "s"}}} if extra else {}
        tool_calls.append({**call, **hung})
        first = {"index": index, **call, "function": {"name": name, "arguments": ""}, **hung}
        deltas.append({"delta": {"tool_calls": [first]}})
        pieces.append([{"index": index, "function": {"arguments": piece}} for piece in arguments])
    # Parallel calls may come in turns.
    while any(pieces):
        deltas.append({"delta": {"tool_calls": [rng.choice([left for left in pieces if left]).pop(0)]}})
    message = {"content": "".join(words for words, _ in said), "refusal": "".join(refusals)}
    message |= {"reasoning_content": "".join(thoughts), "tool_calls": tool_calls}
    spoken = [token for words, logprobs in said if logprobs for token in logprobs["content"]]
    ends = answer(message, finish, logprobs={"content": spoken})
    events = written(*deltas, {"delta": {}, "finish_reason": finish}, ends=ends)
    accumulated(events)
    assert events[-1].data["type"] == f"response.{ends['status']}"
    assert events[-1].data["response"] == ends
    done = [event.data for event in events if event.name == "response.output_item.done"]
    assert [(event["output_index"], event["item"]) for event in done] == list(enumerate(ends["output"]))
    assert texts(events).get("response.output_text.delta", "") == message["content"]
    assert texts(events).get("response.refusal.delta", "") == message["refusal"]
    assert texts(events).get("response.reasoning_summary_text.delta", "") == message["reasoning_content"]


DELTAS = st.lists(
    st.one_of(
        st.builds(lambda words: {"reasoning_content": words}, WORDS),
        st.builds(lambda words: {"content": words}, WORDS),
        st.builds(lambda words: {"refusal": words}, WORDS),
        st.builds(lambda url: {"images": [{"image_url": {"url": url}}]}, WORDS),
        st.builds(
            lambda index, words: {
                "tool_calls": [{"index": index, "id": f"c{index}", "function": {"name": "f", "arguments": words}}]
            },
            st.integers(0, 2),
            WORDS,
        ),
    ),
    max_size=10,
)


@settings(deadline=None)
@given(DELTAS, st.booleans())
def test_any_order_of_deltas_is_told_whole(deltas, ends_well):
    """However a provider mixes them, nothing is lost, every event is valid and the same calls give the same events."""
    events = told(deltas, ends_well=ends_well)
    assert told(deltas, ends_well=ends_well) == events
    accumulated(events)
    output = valid(events[-1].data["response"])["output"]
    for kind, field in (("content", "output_text"), ("refusal", "refusal"), ("reasoning_content", "reasoning_summary")):
        expected = "".join(delta.get(kind, "") for delta in deltas)
        assert "".join(text for name, text in texts(events).items() if field in name) == expected
        assert _words(output, field) == expected


def told(deltas, *, ends_well):
    """The events of a stream."""
    writer = RESPONSES.writer(HEAD)
    events = [event for delta in deltas for event in writer.choice({"index": 0, "delta": delta})]
    if not ends_well:
        error = {"message": "m", "type": "api_error", "code": "c", "param": None}
        return [*events, *writer.failed({"error": error}, 502)]
    events += writer.choice({"index": 0, "delta": {}, "finish_reason": "stop"})
    return [*events, *writer.completed(answer(assembled(deltas)))]


def assembled(deltas):
    """The message that deltas make, with all its thoughts in one."""
    message = {name: "".join(delta.get(name, "") for delta in deltas) for name in ("content", "refusal")}
    message["reasoning_content"] = "".join(delta.get("reasoning_content", "") for delta in deltas)
    message["images"] = [picture for delta in deltas for picture in delta.get("images", ())]
    calls = {}
    for piece in (call for delta in deltas for call in delta.get("tool_calls", ())):
        call = calls.setdefault(piece["index"], {"id": piece["id"], "function": {"name": "f", "arguments": ""}})
        call["function"]["arguments"] += piece["function"]["arguments"]
    message["tool_calls"] = [call for _, call in sorted(calls.items())]
    return message


def _words(output, field):
    found = ""
    for item in output:
        parts = item.get("summary" if field == "reasoning_summary" else "content", ())
        found += "".join(
            part.get("refusal" if field == "refusal" else "text", "")
            for part in parts
            if part["type"] == {"reasoning_summary": "summary_text"}.get(field, field)
        )
    return found


def test_what_vendors_want_back_is_on_the_streamed_items():
    """Signatures are told with the item they belong to, whenever they come; details of reasoning have theirs."""
    extra, details = {"google": {"thought_signature": "s"}}, [{"type": "reasoning.encrypted", "data": "x"}]
    message = {"content": "a", "extra_content": extra, "reasoning_details": details}
    ends = answer(message)
    deltas = [{"reasoning_details": details}, {"extra_content": extra}, {"content": "a"}]
    events = written(*({"delta": delta} for delta in deltas), {"delta": {}, "finish_reason": "stop"}, ends=ends)
    accumulated(events)
    [thought, said] = [event.data["item"] for event in events if event.name == "response.output_item.done"]
    assert (thought["type"], said["extra_content"]) == ("reasoning", extra)
    assert events[-1].data["response"] == ends


def test_thinking_that_comes_block_by_block_is_kept_whole():
    """Each signed block is told by itself; the item has them all."""
    blocks = [{"type": "thinking", "thinking": word, "signature": word} for word in ("a", "b")]
    told = [{"extra_content": {"anthropic": {"thinking_blocks": [block]}}} for block in blocks]
    deltas = [*told, {"content": "x"}]
    events = written(*({"delta": delta} for delta in deltas), {"delta": {}, "finish_reason": "stop"})
    [said] = [event.data["item"] for event in events if event.name == "response.output_item.done"]
    assert said["extra_content"] == {"anthropic": {"thinking_blocks": blocks}}


def test_a_stream_opens_once():
    """Created and in progress come first, with the response as it begins."""
    events = written({"delta": {"content": "a"}}, {"delta": {"content": "b"}})
    assert [event.name for event in events[:3]] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
    ]
    assert events[0].data["response"]["status"] == "in_progress"
    assert sum(event.name == "response.created" for event in events) == 1


def test_reasoning_is_done_when_the_answer_begins():
    """A client need not show that the model thinks while it speaks."""
    names = [event.name for event in written({"delta": {"reasoning_content": "Hm."}}, {"delta": {"content": "a"}})]
    assert names.index("response.output_item.done") < names.index("response.output_text.delta")


def test_a_job_that_fails_before_anything_was_told():
    """The stream opens, tells the error and ends in a failed response."""
    error = {"error": {"message": "full", "type": "rate_limit_error", "code": "rate_limit_exceeded", "param": None}}
    events = list(RESPONSES.writer(HEAD).failed({**error, "routing_metadata": {"job_id": JOB}}, 429))
    accumulated(events)
    assert [event.name for event in events] == [
        "response.created",
        "response.in_progress",
        "error",
        "response.failed",
    ]
    shown = valid(events[-1].data["response"])
    assert shown["status"] == "failed"
    assert shown["error"]["code"] == "rate_limit_exceeded"
    assert shown["routing_metadata"] == {"job_id": JOB}


def test_a_cancelled_job_is_a_cancelled_response():
    """Its stream ends with it."""
    error = {"error": {"message": "m", "type": "invalid_request_error", "code": "job_cancelled", "param": None}}
    shown = valid(RESPONSES.writer(HEAD).failed(error, 409)[-1].data["response"])
    assert (shown["status"], shown["error"]) == ("cancelled", None)


def test_an_answer_of_which_nothing_was_told_is_told_whole():
    """A stream that had no deltas still has every item."""
    ends = answer({"content": "Hi.", "reasoning_content": "Hm."})
    events = written(ends=ends)
    accumulated(events)
    done = [event.data["item"] for event in events if event.name == "response.output_item.done"]
    assert done == ends["output"] == events[-1].data["response"]["output"]


def test_the_surface_has_its_name():
    """A job's record finds it."""
    assert surface_of("responses") is RESPONSES

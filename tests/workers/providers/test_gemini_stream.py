"""Gemini's stream: what the sandbox does not send, and what nobody should."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import MalformedAnswer, ProviderError, ProviderFailed, ProviderMisconfigured, ProviderRateLimited
from routing.job import Usage
from workers.providers.base import Account
from workers.providers.gemini import GeminiProvider

ACCOUNT = Account("gemini", "https://generativelanguage.googleapis.com/v1beta", "sk-secret")


def reader():
    return GeminiProvider(ACCOUNT).stream("asked-model", {"content-type": "text/event-stream"})


def event(value):
    return b"data: " + json.dumps(value).encode() + b"\r\n\r\n"


def response(*parts, finish=None, index=0, **more):
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": index}
    return {"candidates": [candidate | ({"finishReason": finish} if finish else {}) | more]}


def read(*values):
    """The entries of a stream, and its reader."""
    stream = reader()
    return [entry for value in values for entry in stream.feed(event(value))], stream


def message(stream):
    return stream.completion().body["choices"][0]["message"]


def call(name="f", **more):
    return {"functionCall": {"name": name, "args": {"x": 1}}, **more}


def test_calls_are_numbered_across_responses():
    """Whole calls, each one delta under its own index, and the finish is tool_calls."""
    entries, stream = read(response(call("f", thoughtSignature="s")), response(call("g"), call("h"), finish="STOP"))
    told = [piece for entry in entries for piece in entry["delta"].get("tool_calls", ())]
    assert [(piece["index"], piece["function"]["name"]) for piece in told] == [(0, "f"), (1, "g"), (2, "h")]
    assert told[0]["extra_content"] == {"google": {"thought_signature": "s"}}
    assert entries[-1] == {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    assert [piece["function"]["name"] for piece in message(stream)["tool_calls"]] == ["f", "g", "h"]


def test_parts_keep_their_places():
    """Thoughts, words, pictures and a signature without words, each where the answer in one piece has it."""
    picture = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
    entries, stream = read(
        response({"text": "hm", "thought": True}),
        response({"text": "a"}),
        response(picture),
        response({"text": "", "thoughtSignature": "s"}, finish="STOP"),
    )
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    assert [entry["delta"] for entry in entries] == [
        {"reasoning_content": "hm"},
        {"content": "a"},
        {"images": [image]},
        {"extra_content": {"google": {"thought_signature": "s"}}},
        {},
    ]
    assert message(stream) == {
        "role": "assistant",
        "content": "a",
        "refusal": None,
        "reasoning_content": "hm",
        "images": [image],
        "extra_content": {"google": {"thought_signature": "s"}},
    }


def test_one_signature_is_told():
    """Of several signatures beside no call the last one counts, and it alone is told: clients would join them."""
    entries, stream = read(
        response({"text": "a", "thoughtSignature": "s1"}),
        response({"text": "b", "thoughtSignature": "s2"}, finish="STOP"),
    )
    extra = {"google": {"thought_signature": "s2"}}
    assert [entry["delta"] for entry in entries] == [{"content": "a"}, {"content": "b"}, {"extra_content": extra}, {}]
    assert message(stream)["extra_content"] == extra


def test_each_candidate_has_its_end():
    """Two candidates side by side; the answer is whole when both have their finish reason."""
    entries, stream = read(response({"text": "a"}), response({"text": "b"}, index=1), response(finish="STOP"))
    assert [entry["index"] for entry in entries] == [0, 1, 0]
    assert not stream.done
    with pytest.raises(MalformedAnswer):
        stream.completion()
    stream.feed(event(response(finish="MAX_TOKENS", index=1)))
    assert stream.done
    assert [choice["finish_reason"] for choice in stream.completion().body["choices"]] == ["stop", "length"]


def test_usage_is_that_of_the_last_response():
    """And is read even after the last finish reason."""
    first = {**response({"text": "a"}), "usageMetadata": {"promptTokenCount": 5}}
    _, stream = read(first, response(finish="STOP"))
    assert stream.usage == Usage(5)
    stream.feed(event({"usageMetadata": {"candidatesTokenCount": 2, "thoughtsTokenCount": 3}}))
    assert stream.completion().usage == Usage(5, 5, 0, 3)


def test_a_finish_reason_with_every_response():
    """As old models give it: the first counts, and no word is lost."""
    entries, stream = read(response({"text": "a"}, finish="STOP"), response({"text": "b"}, finish="STOP"))
    assert [entry["finish_reason"] for entry in entries] == [None, "stop", None]
    assert message(stream)["content"] == "ab"


def test_a_blocked_prompt_is_an_answer():
    """A refusal and content_filter, told once."""
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 5}}
    entries, stream = read(blocked, blocked)
    assert [entry["finish_reason"] for entry in entries] == [None, "content_filter"]
    assert "SAFETY" in message(stream)["refusal"]
    assert stream.done


@pytest.mark.parametrize(("parts", "told"), [([], True), ([{"text": "a"}], False)])
def test_a_blocked_answer(parts, told):
    """A refusal only where no word was said."""
    _, stream = read(response(*parts), response(finish="SAFETY"))
    assert (message(stream)["refusal"] is not None) == told
    assert stream.completion().body["choices"][0]["finish_reason"] == "content_filter"


def test_a_model_that_gave_up_is_malformed():
    """Where it said nothing; after words they are the answer."""
    with pytest.raises(MalformedAnswer):
        read(response(finish="MALFORMED_FUNCTION_CALL"))
    _, stream = read(response({"text": "a"}), response(finish="MALFORMED_FUNCTION_CALL"))
    assert message(stream)["content"] == "a"


def test_log_probabilities_stand_with_their_words():
    """In OpenAI's form, one response after the other."""
    steps = {"chosenCandidates": [{"token": "a", "logProbability": -0.5}]}
    entries, stream = read(response({"text": "a"}, logprobsResult=steps), response({"text": "a"}, logprobsResult=steps))
    assert entries[0]["logprobs"]["content"][0]["token"] == "a"
    stream.feed(event(response(finish="STOP")))
    assert len(stream.completion().body["choices"][0]["logprobs"]["content"]) == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 503, "status": "UNAVAILABLE", "message": "m sk-secret"}, ProviderFailed),
        ({"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m"}, ProviderRateLimited),
        (
            {"code": 400, "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]},
            ProviderMisconfigured,
        ),
        ({"message": "m"}, ProviderFailed),
    ],
)
def test_error_objects(error, kind):
    """Are classed by their status and reason."""
    with pytest.raises(kind) as caught:
        read(response({"text": "a"}), {"error": error})
    assert "sk-secret" not in caught.value.message


@pytest.mark.parametrize(
    "value", [{}, {"choices": []}, {"candidates": [{"content": {"parts": [{"functionCall": {}}]}}]}]
)
def test_what_is_not_the_dialect_is_malformed(value):
    """JSON that is no response."""
    with pytest.raises(MalformedAnswer):
        read(value)


def test_what_cannot_be_read_after_the_end_is_ignored():
    """A proxy's [DONE]; before the end it is malformed."""
    _, stream = read(response({"text": "a"}, finish="STOP"))
    assert stream.feed(b"data: [DONE]\n\n") == []
    with pytest.raises(MalformedAnswer):
        reader().feed(b"data: [DONE]\n\n")


scalars = st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3)
parts = st.fixed_dictionaries(
    {},
    optional={
        "text": scalars,
        "thought": st.booleans(),
        "thoughtSignature": scalars,
        "inlineData": st.dictionaries(st.sampled_from(["mimeType", "data"]), scalars) | scalars,
        "functionCall": st.fixed_dictionaries({"name": st.just("f") | scalars}, optional={"args": scalars}) | scalars,
    },
)
candidates = st.fixed_dictionaries(
    {},
    optional={
        "index": st.integers(0, 1) | scalars,
        "content": st.fixed_dictionaries({"parts": st.lists(parts, max_size=3) | scalars}) | scalars,
        "finishReason": st.sampled_from(["STOP", "SAFETY", "MALFORMED_RESPONSE"]) | scalars,
        "logprobsResult": st.fixed_dictionaries({"chosenCandidates": st.lists(scalars, max_size=2)}) | scalars,
    },
)
responses = st.fixed_dictionaries(
    {},
    optional={
        "candidates": st.lists(candidates, max_size=2) | scalars,
        "usageMetadata": st.dictionaries(st.sampled_from(["promptTokenCount", "candidatesTokenCount"]), scalars),
        "promptFeedback": st.fixed_dictionaries({"blockReason": scalars}) | scalars,
        "modelVersion": scalars,
    },
)


@given(st.lists(responses, max_size=6))
def test_any_responses_are_read_or_refused(values):
    """Whatever JSON comes as responses, it is read into OpenAI's form or is a ProviderError, and nothing else."""
    try:
        entries, stream = read(*values, response({"text": "a"}, finish="STOP"), response(index=1, finish="STOP"))
        body = stream.completion().body
    except ProviderError:
        return
    json.dumps([entries, body])
    for choice in body["choices"]:
        mine = [entry["delta"] for entry in entries if entry["index"] == choice["index"]]
        assert (choice["message"]["content"] or "") == "".join(delta.get("content", "") for delta in mine)
        assert choice["finish_reason"]

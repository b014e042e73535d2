"""The lines of a stream say what its deltas said, and another call can go on from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.job import Usage
from workers import frames
from workers.continuation import Beginning
from workers.frames import Speaker
from workers.providers.base import Completion

text = st.text(st.characters(codec="utf-8"), max_size=20)
calls = st.fixed_dictionaries({"index": st.integers(0, 3), "function": st.fixed_dictionaries({"arguments": text})})
deltas = st.one_of(
    st.fixed_dictionaries({"content": text}),
    st.fixed_dictionaries({"reasoning_content": text}),
    st.fixed_dictionaries({"tool_calls": st.lists(calls, min_size=1, max_size=2)}),
    st.just({}),
)
choices = st.fixed_dictionaries(
    {"index": st.integers(0, 2), "delta": deltas},
    optional={
        "finish_reason": st.sampled_from([None, "stop", "length"]),
        "logprobs": st.just({"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]}),
    },
)


def choice(content, **more):
    return {"index": 0, "delta": {"content": content}, **more}


@given(choices)
def test_a_line_says_what_its_delta_said(entry):
    """Read again it is the same, but for what was null; a line holds no line break."""
    line = frames.line(entry)
    assert "\n" not in line
    assert frames.read(line.encode()) == {name: value for name, value in entry.items() if value is not None}


def test_a_speaker_is_no_delta():
    """Who speaks comes back as such."""
    speaker = Speaker("groq", "openai/gpt-oss-20b")
    assert frames.read(frames.speaker_line(speaker)) == speaker


@given(st.lists(text, min_size=1))
def test_a_beginning_is_all_that_was_said(words):
    """What is given to the next model ends in no blank, and is otherwise what the caller was sent."""
    lines = [frames.speaker_line(Speaker("groq", "m")), *(frames.line(choice(word)) for word in words)]
    begun = Beginning.of_lines(lines)
    said = "".join(words)
    if not said.strip():
        assert begun is None
        return
    assert begun.said == said
    *_, last = begun.asked({"messages": [{"role": "user", "content": "?"}]})["messages"]
    assert said.startswith(last["content"])
    assert last["content"] == last["content"].rstrip()
    assert begun.is_open == (said != last["content"])


@pytest.mark.parametrize(
    "entry",
    [
        {"index": 1, "delta": {"content": "b"}},
        {"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}},
        {"index": 0, "delta": {"refusal": "no"}},
        choice("b", finish_reason="stop"),
    ],
    ids=["choice", "tool", "refusal", "finish"],
)
def test_what_cannot_be_said_again_is_no_beginning(entry):
    """A second choice, a tool call, a refusal and a finish rule it out."""
    assert Beginning.of_lines([frames.line(choice("a")), frames.line(entry)]) is None


@pytest.mark.parametrize(("said", "rest", "whole"), [("a ", " b", "a b"), ("a", " b", "a b"), ("a", "b", "ab")])
def test_the_seam_has_no_blank_twice(said, rest, whole):
    """What was left out of the beginning is not said again by who goes on."""
    body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": rest}, "finish_reason": "stop"}]}
    joined = Beginning(said).whole(Completion(body, Usage()))
    assert joined.body["choices"][0]["message"]["content"] == whole

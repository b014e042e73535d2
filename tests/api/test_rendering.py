"""A stream's events are the same however its frames come, and whoever comes back gets exactly the rest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rendering import Rendering
from routing.job import JobStatus
from workers import frames
from workers.frames import Speaker
from workers.ledger.record import Ended
from workers.surfaces.base import Head
from workers.surfaces.registry import SURFACES

STREAMED = ("chat", "completions", "messages", "responses")
WORDS = ["Hel", "lo", " ", "w\u00f6rld\n", '"quoted"', "\u2028", "", "end"]
LINES = [
    frames.speaker_line(Speaker("groq", "openai/gpt-oss-20b")),
    *(frames.line({"index": 0, "delta": {"content": word}}) for word in WORDS),
    frames.line({"index": 0, "delta": {}, "finish_reason": "stop"}),
]
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "openai/gpt-oss-20b",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "".join(WORDS), "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}


def head(model):
    return Head("job_" + "a" * 32, model, 1_700_000_000, include_usage=True)


def ended(surface):
    answer = SURFACES[surface].answer(COMPLETION, head("m")) | {"routing_metadata": {"attempts": []}}
    return Ended("job_" + "a" * 32, JobStatus.COMPLETED, 200, json.dumps(answer).encode())


def told(surface, sizes, after=0):
    """The bytes of the whole stream, its frames given in pieces of these sizes."""
    rendering = Rendering(SURFACES[surface], head, after)
    lines, said = [line.encode() for line in LINES], []
    for size in sizes:
        said.append(rendering.lines(lines[:size]) if lines[:size] else b"")
        lines = lines[size:]
    return b"".join([*said, rendering.lines(lines) if lines else b"", rendering.end(ended(surface))])


@pytest.mark.parametrize("surface", STREAMED)
@given(sizes=st.lists(st.integers(1, 4), max_size=6))
def test_pieces_make_no_difference(surface, sizes):
    """However many frames come at once, the bytes are the same."""
    assert told(surface, sizes) == told(surface, [])


@pytest.mark.parametrize("surface", STREAMED)
@given(after=st.integers(0, 40), sizes=st.lists(st.integers(1, 4), max_size=4))
def test_the_rest_is_the_rest(surface, after, sizes):
    """After event N comes what the whole stream has after it, and no event again."""
    events = told(surface, []).split(b"\n\n")
    rest = told(surface, sizes, after).split(b"\n\n")
    seen = [event for event in events if event.startswith(b"id: ") and int(event[4:].split(b"\n")[0]) <= after]
    assert [*seen, *rest] == events


def test_a_piece_of_content_has_two_ways_to_one_event():
    """The quick way, around a line as it is, gives the same JSON as an event made of its delta."""
    surface = SURFACES["chat"]
    writer = surface.writer(head("m"))
    [*_, made] = writer.choice({"index": 0, "delta": {"content": "x"}})
    before, after = writer.content_around
    assert json.loads((before + b'"x"' + after).removeprefix(b"data: ")) == made.data

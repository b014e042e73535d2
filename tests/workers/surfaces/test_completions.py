"""Legacy text completions: what they ask for underneath, and how an answer and its stream are told."""

import json

from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion

from tests.support.deltas import completion_of, deltas_of
from workers.surfaces.base import Head, compact
from workers.surfaces.completions import Completions, chat_request, echo_of

SURFACE = Completions()
HEAD = Head("job_ab12", "gpt-oss", 1_760_000_000)
STEPS = [
    {
        "token": "Ro",
        "logprob": -0.1,
        "top_logprobs": [{"token": "Ro", "logprob": -0.1}, {"token": "Mi", "logprob": -3}],
    },
    {"token": "me", "logprob": -0.2, "top_logprobs": [{"token": "me", "logprob": -0.2}]},
]


def streamed(answer, *, head=HEAD, pieces=1):
    """Every object of the stream of an answer."""
    writer = SURFACE.writer(head)
    events = [event for delta in deltas_of(answer, pieces) for event in writer.choice(delta)]
    events += writer.completed(SURFACE.answer(answer, head))
    assert all(event.name is None for event in events)
    return [dict(event.data) for event in events]


def test_the_prompt_is_the_one_user_message():
    """A prompt, alone or in a list, is a user message; what chat has too stays; 16 tokens unless asked otherwise."""
    chat = chat_request({"model": "m", "prompt": ["Once"], "n": 2, "stop": ["."], "logprobs": 2, "sandbox": {}})
    assert chat == {
        "model": "m",
        "messages": [{"role": "user", "content": "Once"}],
        "max_tokens": 16,
        "n": 2,
        "stop": ["."],
        "logprobs": True,
        "top_logprobs": 2,
        "sandbox": {},
    }
    assert chat_request({"prompt": "x", "max_tokens": 7, "logprobs": 0})["max_tokens"] == 7
    assert echo_of({"prompt": ["Once"], "echo": True}) == {"prompt": "Once"}
    assert echo_of({"prompt": "Once", "echo": False}) == {}


def test_an_answer_is_a_text_completion():
    """OpenAI's own type takes it, with each choice, its finish and the usage."""
    answer = completion_of({"content": "Rome"}, {"content": None, "refusal": "No."}, finish="length")
    told = Completion.model_validate(SURFACE.answer(answer, HEAD), strict=True)
    assert (told.id, told.object, told.model) == ("cmpl-ab12", "text_completion", "gpt-oss")
    assert [(choice.index, choice.text, choice.finish_reason) for choice in told.choices] == [
        (0, "Rome", "length"),
        (1, "No.", "length"),
    ]
    assert told.usage.total_tokens == 12


def test_logprobs_are_told_in_the_legacy_form():
    """Tokens, their probabilities, the likeliest ones, and where in the text each stands, the prompt counted in."""
    answer = completion_of({"content": "Rome"})
    answer["choices"][0]["logprobs"] = {"content": STEPS, "refusal": None}
    head = Head("job_ab12", "gpt-oss", 1_760_000_000, echo={"prompt": "Where? "})
    choice = SURFACE.answer(answer, head)["choices"][0]
    assert choice["text"] == "Where? Rome"
    assert choice["logprobs"] == {
        "tokens": ["Ro", "me"],
        "token_logprobs": [-0.1, -0.2],
        "top_logprobs": [{"Ro": -0.1, "Mi": -3}, {"me": -0.2}],
        "text_offset": [7, 9],
    }


def test_a_stream_tells_logprobs_where_they_stand():
    """The offsets of a stream's pieces go on where the piece before ended."""
    writer = SURFACE.writer(Head("job_ab12", "m", 1, echo={"prompt": "Where? "}))
    events = []
    for step in STEPS:
        delta = {"index": 0, "delta": {"content": step["token"]}, "logprobs": {"content": [step]}}
        events += writer.choice(delta)
    told = [event.data["choices"][0] for event in events]
    assert [piece["text"] for piece in told] == ["Where? ", "Ro", "me"]
    assert [piece["logprobs"]["text_offset"] for piece in told[1:]] == [[7], [9]]


@given(
    texts=st.lists(st.text(min_size=1), min_size=1, max_size=3),
    pieces=st.integers(1, 4),
    prompt=st.text(),
    usage=st.booleans(),
)
def test_a_stream_adds_up_to_the_answer(texts, pieces, prompt, usage):
    """The pieces of each choice, joined, are its text; each ends once; usage and route stand in the last object."""
    answer = completion_of(*({"content": text} for text in texts))
    head = Head("job_ab12", "m", 1, include_usage=usage, echo={"prompt": prompt} if prompt else {})
    told = SURFACE.answer(answer, head)
    chunks = streamed(answer, head=head, pieces=pieces)
    assert {(chunk["id"], chunk["object"]) for chunk in chunks} == {("cmpl-ab12", "text_completion")}
    for choice in told["choices"]:
        parts = [part for chunk in chunks for part in chunk["choices"] if part["index"] == choice["index"]]
        assert "".join(part["text"] for part in parts) == choice["text"]
        assert [part["finish_reason"] for part in parts if part["finish_reason"]] == [choice["finish_reason"]]
    assert ("usage" in chunks[0]) is usage
    assert chunks[-1].get("usage") == (answer["usage"] if usage else None)
    assert "routing_metadata" in chunks[-1]


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_piece_can_be_set_between_the_same_bytes(pieces):
    """Once a text has begun, an event is the bytes around its piece and the piece."""
    writer = SURFACE.writer(HEAD)
    assert writer.content_around is None
    writer.choice({"index": 0, "delta": {"content": "x"}})
    for piece in pieces:
        [event] = writer.choice({"index": 0, "delta": {"content": piece}})
        before, after = writer.content_around
        assert before + json.dumps(piece).encode() + after == f"data: {compact(event.data)}\n\n".encode()


def test_a_failed_stream_ends_in_openais_error():
    """The error is told where the next piece would be."""
    error = {"error": {"message": "no", "type": "api_error", "param": None, "code": "x"}}
    assert [event.data for event in SURFACE.writer(HEAD).failed(error, 502)] == [error]

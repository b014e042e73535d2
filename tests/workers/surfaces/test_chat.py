"""Chat chunks: what OpenAI's own client makes of them, and what is told only with the last."""

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from workers.surfaces.base import Head
from workers.surfaces.registry import CHAT

ANSWER = {"usage": None, "system_fingerprint": "fp_1", "service_tier": "default", "routing_metadata": {"job_id": "j"}}


def entry(finish=None, index=0, logprobs=None, **delta):
    found = {"index": index, "delta": delta, "finish_reason": finish}
    return found if logprobs is None else {**found, "logprobs": logprobs}


def chunks(*entries, include_usage=False):
    writer = CHAT.writer(Head("job_1", "m", 1, include_usage=include_usage))
    events = [event for one in entries for event in writer.choice(one)]
    return [dict(event.data) for event in (*events, *writer.completed(ANSWER))]


def added_up(*entries):
    state = ChatCompletionStreamState()
    for chunk in chunks(*entries):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    return state.current_completion_snapshot.to_dict()["choices"]


def thought(number):
    return {"anthropic": {"thinking_blocks": [{"type": "thinking", "thinking": str(number), "signature": "s"}]}}


def test_lists_that_come_entry_by_entry():
    """OpenAI's client adds up thinking blocks, pictures and annotations of several deltas, of each choice apart."""
    lists = {
        "images": [{"type": "image_url", "image_url": {"url": "data:,1"}}],
        "annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}],
    }
    deltas = [entry(index=index, extra_content=thought(number), **lists) for number in range(2) for index in range(2)]
    for choice in added_up(*deltas, entry("stop"), entry("stop", index=1)):
        message = choice["message"]
        blocks = message["extra_content"]["anthropic"]["thinking_blocks"]
        assert [(block["index"], block["thinking"]) for block in blocks] == [(0, "0"), (1, "1")]
        assert [picture["index"] for picture in message["images"]] == [0, 1]
        assert [note["url_citation"]["url"] for note in message["annotations"]] == ["u", "u"]


@pytest.mark.parametrize(
    ("first", "content"),
    [
        (entry(content="a"), ""),
        (entry("stop"), ""),
        (entry(refusal="no"), None),
        (entry(tool_calls=[{"index": 0, "id": "c", "type": "function", "function": {"name": "f"}}]), None),
    ],
)
def test_content_is_null_where_no_words_begin(first, content):
    """The chunk with the role has the content null before calls and refusals, as OpenAI's has."""
    assert chunks(first)[0]["choices"][0]["delta"] == {"role": "assistant", "content": content, "refusal": None}


def test_probabilities_without_words():
    """Log probabilities that come beside no text are told."""
    steps = {"content": [{"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}], "refusal": None}
    assert [chunk["choices"][0]["logprobs"] for chunk in chunks(entry(logprobs=steps))] == [None, steps]


@pytest.mark.parametrize("include_usage", [False, True])
def test_the_end_tells_what_is_known_then(include_usage):
    """The stop sequence stands with its finish reason; fingerprint and tier come with the last chunks."""
    told = chunks(entry(content="a"), {**entry("stop"), "stop_reason": "END"}, include_usage=include_usage)
    finish = told[-2] if include_usage else told[-1]
    assert finish["choices"][0]["stop_reason"] == "END"
    assert (told[-1]["system_fingerprint"], told[-1]["service_tier"]) == ("fp_1", "default")
    assert told[-1]["routing_metadata"] == {"job_id": "j"}
    assert "system_fingerprint" not in told[0]

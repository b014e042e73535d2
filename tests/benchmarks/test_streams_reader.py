import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.streams import chunks
from benchmarks.streams.pace import Asked, Pace
from benchmarks.streams.reader import BrokenStreamError, StreamReader

THREE = Pace(3, 0.0)
EVENT = (
    b'data: {"error": {"message": "It is odd.", "type": "server_error", "param": null, "code": "provider_error"}}\n\n'
)
ERROR = b"%x\r\n%b\r\n%b" % (len(EVENT), EVENT, chunks.END)


def answer(numbers=(1, 2, 3), *, now=100.0, closing=None):
    end = chunks.closing(THREE, usage=False) if closing is None else closing
    return chunks.opening() + b"".join(chunks.token(number, now) for number in numbers) + end


def read(data, cuts=(), *, now=100.5):
    reader = StreamReader(3, sent_at=99.0)
    for start, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        reader.feed(data[start:end], now)
    return reader


@given(st.lists(st.integers(0, len(answer())), max_size=12).map(sorted))
def test_a_stream_is_read_alike_however_it_is_cut(cuts):
    """Every token counts once and has its delay, wherever the bytes are cut."""
    reader = read(answer(), tuple(cuts))
    assert (reader.ended, reader.tokens, reader.keeps_alive) == (True, 3, True)
    assert reader.delays_s == pytest.approx([0.5] * 3)
    assert reader.first_at == 100.5


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (answer((1, 3)), "a gap"),
        (answer((1, 2)), "too short"),
        (answer((1, 2, 2, 3)), "tokens repeated"),
        (answer((1, 3, 2)), "a gap"),
        (answer((1, 2, 3, 4)), "too long"),
        (answer(closing=chunks.END), "no [DONE]"),
        (answer((1, 2), closing=ERROR), "error provider_error"),
        (answer().replace(b"200 OK", b"503 Service Unavailable"), "status 503"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "not chunked"),
        (chunks.HEAD + b"nonsense\r\n", "no size of a chunk"),
    ],
)
def test_whatever_is_wrong_with_a_stream_is_named(data, reason):
    """A token that is missing, doubled or out of order, a missing end and an error are never taken for a stream."""
    with pytest.raises(BrokenStreamError, match=f"^{re.escape(reason)}$"):
        read(data)


def test_a_stream_that_stops_has_not_ended():
    """Without its last frame an answer is not whole."""
    assert not read(answer()[:-5]).ended


def test_a_gateways_own_spacing_and_comments_are_read():
    """What counts is the text of the tokens, not how the JSON around it is written."""
    spaced = b'id: 1\ndata: {"choices": [{"delta": {"content": "t00001 100000000 "}}]}\n\n'
    dense = b'id: 2\ndata: {"choices":[{"delta":{"content":"t00002 100000000 t00003 100000000 "}}]}\n\n'
    events = b": a comment\n\n" + spaced + dense + b"data: [DONE]\n\n"
    assert read(chunks.HEAD + b"%x\r\n%b\r\n" % (len(events), events) + chunks.END).tokens == 3


@given(st.builds(Pace, st.integers(1, 99_999), st.integers(0, 5_000_000).map(lambda micros: micros / 1e6)))
def test_a_pace_is_read_from_the_prompt_that_asks_for_it(pace):
    """Every pace comes back as it was asked for."""
    asked = Asked.of(b'{"messages": [{"content": "Explain. %b"}], "stream":true}' % pace.mark.encode())
    assert asked == Asked(pace, usage=False)


def test_what_is_not_asked_for_is_not_streamed():
    """Only `stream: true` is a stream, and only `include_usage: true` asks for the usage."""
    mark = THREE.mark.encode()
    assert Asked.of(b'{"messages": "%b"}' % mark).pace is None
    assert Asked.of(b'{"stream": false, "messages": "%b"}' % mark).pace is None
    assert Asked.of(b'{"stream": true, "stream_options": {"include_usage":true}}').usage

"""Server-sent events, however they are written and split."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import MalformedAnswer
from workers.providers import sse
from workers.providers.sse import Event, EventParser

PIECES = (
    b"data: {}",
    b"data:x",
    b"data",
    b"data:  two",
    b"event: error",
    b"event:",
    b": comment",
    b"id: 7",
    b"retry: 10",
    b"nonsense",
    "data: grüße 🎉".encode(),
    b"\xef\xbb\xbf",
    b"\n",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\r\n\r\n",
)
streams = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


def parsed(*pieces):
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def by_the_book(stream):
    """The specification's algorithm, line by line, on the whole stream."""
    stream = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    *lines, _unended = stream.split(b"\n")
    events, name, data = [], "", []
    for line in lines:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            if data:
                events.append(Event(name or "message", b"\n".join(data)))
            name, data = "", []
        elif field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode()
    return events


@given(streams, st.lists(st.integers(0, 200), max_size=12))
def test_any_split_gives_the_same_events(stream, cuts):
    """Wherever the bytes are split, the events are those of the specification's algorithm on the whole."""
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert parsed(*(stream[a:b] for a, b in pairwise(edges))) == by_the_book(stream)


@given(streams)
def test_byte_by_byte_gives_the_same_events(stream):
    """Each byte on its own, in the midst of characters and line endings."""
    assert parsed(*(stream[at : at + 1] for at in range(len(stream)))) == by_the_book(stream)


def test_lines_of_data_are_joined():
    """An event of several lines, among a name, a comment and foreign fields."""
    assert parsed(b": hi\nevent: error\nid: 1\ndata: a\ndata:b\n\n") == [Event("error", b"a\nb")]


def test_an_event_without_its_blank_line_is_none():
    """What the body's end cuts off is not told."""
    assert parsed(b"data: a\n\ndata: b\n") == [Event("message", b"a")]


def test_an_endless_event_is_malformed(monkeypatch):
    """An event over the limit is not kept in memory."""
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1000)
    parser = EventParser()
    parser.feed(b"data: " + b"x" * 900)
    with pytest.raises(MalformedAnswer):
        parser.feed(b"x" * 100)

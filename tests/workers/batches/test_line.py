"""Lines of an input: found wherever the reads cut it, and read for what they say."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.batches.line import LineRefused, raw_lines, read_line

CHAT = "/v1/chat/completions"


class Dribble:
    """Gives its bytes in pieces of the sizes it is told, over and over."""

    def __init__(self, data, sizes):
        self.file = io.BytesIO(data)
        self.sizes = sizes
        self.turn = 0

    def read(self, _):
        self.turn += 1
        return self.file.read(self.sizes[self.turn % len(self.sizes)])


def entry(**changes):
    fields = {"custom_id": "a", "method": "POST", "url": CHAT, "body": {"model": "fast"}}
    return json.dumps({**fields, **changes}).encode()


@given(
    st.lists(st.binary(max_size=12).filter(lambda text: b"\n" not in text), max_size=12),
    st.booleans(),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
)
def test_every_line_is_found_once_with_its_number_and_its_end(texts, ended, sizes):
    """However the bytes arrive; and reading on from any line's end gives the lines after it."""
    data = b"\n".join(texts) + (b"\n" if ended and texts else b"")
    found = list(raw_lines(Dribble(data, sizes), 100))
    expected = [(number, text) for number, text in enumerate(data.split(b"\n"), 1)]
    marked = [(number, text.removeprefix(b"\xef\xbb\xbf") if number == 1 else text) for number, text in expected]
    assert [(line.number, line.text) for line in found] == [(number, text) for number, text in marked if text.strip()]
    for place, line in enumerate(found):
        rest = raw_lines(io.BytesIO(data[line.end :]), 100, line.number, line.end)
        assert list(rest) == found[place + 1 :]
    assert all(line.end <= len(data) for line in found)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_a_line_that_is_too_long_is_left_out_and_the_others_are_read(lengths, sizes):
    """An endless line does not fill the memory, and those behind it have their numbers and ends."""
    data = b"\n".join(b"x" * length for length in lengths)
    found = list(raw_lines(Dribble(data, sizes), 10))
    assert [(line.number, None if line.text is None else len(line.text)) for line in found] == [
        (number, None if length > 10 else length) for number, length in enumerate(lengths, 1) if length
    ]
    assert [data[: line.end].rstrip(b"\n") for line in found] == [
        b"\n".join(data.split(b"\n")[: line.number]).rstrip(b"\n") for line in found
    ]
    with pytest.raises(LineRefused, match="longer than a request"):
        read_line(None, CHAT)


def test_a_good_line_is_its_request():
    """Method and url may be left out; a byte order mark in front of the file does no harm."""
    assert read_line(entry(), CHAT).custom_id == "a"
    assert read_line(b'{"custom_id": "b", "body": {}}', CHAT).body == {}
    (line,) = raw_lines(io.BytesIO(b"\xef\xbb\xbf" + entry()), 1000)
    assert read_line(line.text, CHAT).body == {"model": "fast"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"{", "invalid_json_line"),
        (b"[]", "invalid_json_line"),
        (b"\xff\xfe{}", "invalid_json_line"),
        (b'{"custom_id": "a", "body": ' + b"[" * 5000 + b"]" * 5000 + b"}", "invalid_json_line"),
        (b'{"custom_id": "a", "body": {"x": NaN}}', "invalid_json_line"),
        (entry(custom_id=None), "invalid_custom_id"),
        (entry(custom_id=""), "invalid_custom_id"),
        (entry(custom_id="x" * 513), "invalid_custom_id"),
        (entry(custom_id=7), "invalid_custom_id"),
        (entry(method="GET"), "invalid_method"),
        (entry(url="/v1/embeddings"), "mismatched_endpoint"),
        (entry(body=[1]), "invalid_body"),
        (entry(body=None), "invalid_body"),
    ],
)
def test_a_bad_line_is_refused_with_its_code(text, code):
    """Each says what is wrong."""
    with pytest.raises(LineRefused) as refused:
        read_line(text, CHAT)
    assert refused.value.code == code

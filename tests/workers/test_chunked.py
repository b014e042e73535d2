"""Chunked bodies, however they are split."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import ProviderUnreachable
from workers.chunked import ChunkedBody


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=8),
    st.sampled_from([b"", b";name=value", b" "]),
    st.sampled_from([b"", b"x-trailer: 1\r\n"]),
    st.lists(st.integers(0, 300), max_size=10),
)
def test_any_split_gives_the_same_body(chunks, extension, trailer, cuts):
    """Wherever the bytes are split, the body is what was put in, and its end is seen with the last byte only."""
    wire = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk in chunks) + b"0\r\n" + trailer
    wire += b"\r\n"
    edges = [0, *sorted(min(cut, len(wire) - 1) for cut in cuts), len(wire) - 1]
    body = ChunkedBody()
    given_out = b"".join(body.feed(wire[a:b]) for a, b in pairwise(edges))
    assert not body.ended
    given_out += body.feed(wire[-1:])
    assert body.ended
    assert given_out == b"".join(chunks)


@pytest.mark.parametrize(
    "wire", [b"\r\n", b"zz\r\n", b"-1\r\n", b"+5\r\n", b"1\r\nab\r\n", b"0x5\r\n", b"f" * 20 + b"\r\n"]
)
def test_broken_framing_is_no_answer(wire):
    """What is no chunk is a failed connection, not a piece of the answer."""
    with pytest.raises(ProviderUnreachable):
        ChunkedBody().feed(wire)


def test_an_endless_line_is_not_kept():
    """A size that does not end is refused."""
    body = ChunkedBody()
    body.feed(b"1" * 16_000)
    with pytest.raises(ProviderUnreachable):
        body.feed(b"1" * 1000)

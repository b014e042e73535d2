import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.framing import FramingError, message_length


@given(body=st.binary(max_size=300), rest=st.binary(max_size=50), cut=st.integers(min_value=1, max_value=400))
def test_a_message_ends_where_its_length_says_and_never_before_it_is_whole(body, rest, cut):
    """The length covers head and body, whatever follows; any shorter prefix is not a message yet."""
    message = b"POST / HTTP/1.1\r\nHost: a\r\nCONTENT-length:  %d \r\n\r\n" % len(body) + body
    assert message_length(message + rest) == len(message)
    assert message_length(message[:-cut]) is None


def test_a_message_without_a_length_has_no_body():
    """A GET ends with its head."""
    head = b"GET /calls HTTP/1.1\r\nHost: a\r\n\r\n"
    assert message_length(head + b"GET") == len(head)


@pytest.mark.parametrize(
    "message",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
        b"x" * 70_000,
    ],
)
def test_what_the_parser_does_not_read_is_an_error(message):
    """A chunked body, a length that is no number and a head without an end are refused, not guessed at."""
    with pytest.raises(FramingError):
        message_length(message)

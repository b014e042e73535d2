"""A connection that makes no progress ends; one that makes some does not."""

import errno

import gevent
import gevent.socket
import pytest

from api.paced_socket import PacedSocket
from routing.errors import RequestError
from routing.passage_errors import RequestTooSlow


@pytest.fixture
def pair():
    """Our end of a connection, and the caller's."""
    ours, theirs = gevent.socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_an_answer_that_nobody_takes_ends_the_connection(pair):
    """More than the kernel holds, and a caller that reads none of it: as if it had gone, which gunicorn knows."""
    ours, _ = pair
    with pytest.raises(ConnectionResetError) as ended:
        PacedSocket(ours, 1.0, send_s=0.05).sendall(bytes(50_000_000))
    assert ended.value.errno == errno.ECONNRESET


def test_an_answer_that_is_taken_slowly_arrives_whole(pair):
    """A caller that takes some of it now and then gets all, though it takes longer than the limit."""
    ours, theirs = pair
    size, taken = 3_000_000, []

    def take():
        while sum(taken) < size:
            taken.append(len(theirs.recv(300_000)))
            gevent.sleep(0.02)

    reader = gevent.spawn(take)
    PacedSocket(ours, 1.0, send_s=0.2).sendall(bytes(size))
    reader.join(20)
    assert sum(taken) == size


def test_a_request_that_stops_is_an_error_of_the_callers(pair):
    """After its first bytes a request must go on; once it was too slow, nobody waits for it again."""
    ours, theirs = pair
    paced = PacedSocket(ours, 0.05)
    theirs.sendall(b"GET")
    assert paced.recv(10) == b"GET"
    for _ in range(2):
        with pytest.raises(RequestTooSlow) as slow:
            paced.recv(10)
    assert isinstance(slow.value, RequestError)


def test_between_requests_there_is_no_hurry(pair):
    """The first byte of a request may take longer than the rest of it."""
    ours, theirs = pair
    paced = PacedSocket(ours, 0.05)
    gevent.spawn_later(0.2, theirs.sendall, b"G")
    assert paced.recv(10) == b"G"
    paced.rest()
    gevent.spawn_later(0.2, theirs.sendall, b"P")
    assert paced.recv(10) == b"P"

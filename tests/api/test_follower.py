"""A follower gives each frame once and in order, whatever gets lost, comes twice or comes early on its way."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from api.follower import MOST_BYTES, Follower
from routing.job import JobStatus
from workers.ledger.record import Ended
from workers.ledger.streams import Followed

LINES = [f'"{number}"'.encode() for number in range(40)]
END = Ended("job_1", JobStatus.COMPLETED, 200, b"{}", len(LINES))
PAGE = Followed(0, "", "", "1", "groq", "m", [], all=True, ended=None)
PAGE_LENGTH = 7


def page(start, there, *, ended):
    """What the ledger says when `there` frames are in it."""
    frames = LINES[start : min(start + PAGE_LENGTH, there)]
    whole = start + len(frames) >= there
    return replace(PAGE, frames=frames, all=whole, ended=replace(END, frames=None) if ended and whole else None)


def ask(follower, there, *, ended, meanwhile=()):
    """A question to the ledger, during which messages come in."""
    follower.asking()
    for start, lines in meanwhile:
        follower.frames(start, lines)
    follower.turn(page(follower.next, there, ended=ended))


@given(st.data())
def test_each_frame_is_told_once_and_in_order(data):
    """Messages may get lost, be repeated, or arrive while the ledger is asked; questions may fail."""
    follower, told, there, sent = Follower(), [], 0, []
    while there < len(LINES):
        many = data.draw(st.integers(1, 6))
        sent.append((there, LINES[there : there + many]))
        there = min(there + many, len(LINES))
        for start, lines in data.draw(st.lists(st.sampled_from(sent[-4:]), max_size=3)):
            follower.frames(start, lines)
        if data.draw(st.booleans()):
            told += follower.take()
            if follower.behind:
                meanwhile = data.draw(st.lists(st.sampled_from(sent[-4:]), max_size=2))
                ask(follower, there, ended=False, meanwhile=meanwhile)
        if data.draw(st.booleans()) and data.draw(st.booleans()):
            follower.fall_behind()
    follower.end(END)
    for _ in range(2 + len(LINES) // PAGE_LENGTH):
        told += follower.take()
        if follower.behind:
            assert follower.ended is None
            ask(follower, there, ended=True)
    assert told == LINES
    assert follower.ended is not None


def test_what_is_kept_is_bounded():
    """Frames beyond the bound are left to the ledger."""
    follower, line = Follower(), b"x" * 1000
    for number in range(1000):
        follower.frames(number, [line])
    assert follower.behind
    assert sum(map(len, follower.take())) <= MOST_BYTES + len(line)


def test_what_comes_early_is_bounded_too():
    """While the ledger is asked no more is kept than otherwise."""
    follower, line = Follower(), b"x" * 1000
    follower.asking()
    for number in range(1000):
        follower.frames(number, [line])
    assert follower.behind


def test_the_end_waits_for_the_last_frame():
    """An end that tells of more frames than were seen is not told before they are."""
    follower = Follower()
    follower.frames(0, LINES[:3])
    follower.end(END)
    follower.take()
    assert follower.ended is None
    assert follower.behind

"""The relay sends each run's lines once and in order, and says which runs have lost their job."""

from contextlib import ExitStack

import gevent
import pytest

from tests.workers.conftest import outcome, submission
from workers.ledger.record import Frames, Told
from workers.relay import MOST_OF_ONE, Relay


@pytest.fixture
def lost():
    """The runs that the relay says have lost their job."""
    return []


@pytest.fixture
def relay(ledger, lost):
    relay = Relay(ledger.streams, lambda job_id, epoch: lost.append((job_id, epoch)))
    relay.start()
    return relay


@pytest.fixture
def run(ledger, relay):
    """A run of a streamed job, on its way out."""

    def begin(job_id="job_1", epoch=1):
        if epoch == 1:
            ledger.submit(submission(job_id, stream="1"))
        return opened.enter_context(relay.open(job_id, epoch, ledger.claim(job_id, epoch).streamed))

    with ExitStack() as opened:
        yield begin


def lines(job, many, start=0):
    return [f'"{job} {number}"' for number in range(start, start + many)]


def there(ledger, job_id="job_1"):
    return [line.decode() for line in ledger.streams.all_frames(job_id, "acme")]


def wait_for(condition):
    with gevent.Timeout(5):
        while not condition():
            gevent.sleep(0.005)


def test_lines_go_out_as_they_come(ledger, run):
    """Those of several runs, in pieces of any size: each stream has its own, in order."""
    runs = {name: run(name) for name in ("job_1", "job_2")}
    for piece in range(30):
        for name, outgoing in runs.items():
            outgoing.write(lines(name, 3, 3 * piece))
        if piece % 4 == 0:
            gevent.sleep(0)
    wait_for(lambda: not any(outgoing.waiting for outgoing in runs.values()))
    for name in runs:
        assert there(ledger, name) == lines(name, 90)


def test_the_rest_goes_with_the_end(ledger, run):
    """What was not sent yet is what the end brings; with it the stream is whole."""
    outgoing = run()
    outgoing.write(lines("a", 5))
    wait_for(lambda: not outgoing.waiting)
    outgoing.write(lines("a", 3, 5))
    rest = outgoing.rest()
    assert rest == Frames(5, lines("a", 3, 5))
    assert ledger.finish("job_1", 1, outcome(frames=rest))
    assert there(ledger) == lines("a", 8)


def test_the_rest_is_never_too_much_for_one_step(ledger, run):
    """What has piled up is sent before; only its end is left for the last step."""
    outgoing = run()
    outgoing.write(lines("a", 10 * MOST_OF_ONE))
    rest = outgoing.rest()
    assert len(rest.lines) <= MOST_OF_ONE
    assert ledger.finish("job_1", 1, outcome(frames=rest))
    assert there(ledger) == lines("a", 10 * MOST_OF_ONE)


def test_a_run_after_another_goes_on_where_it_ended(ledger, run):
    """Its first line follows the last of the run before."""
    first = run()
    first.write(lines("a", 4))
    wait_for(lambda: not first.waiting)
    ledger.hand_over("job_1", 1, 1, Told())
    second = run(epoch=2)
    assert second.begun
    second.write(lines("b", 2))
    wait_for(lambda: not second.waiting)
    assert there(ledger) == [*lines("a", 4), *lines("b", 2)]


def test_a_run_that_lost_its_job_is_called_off(ledger, run, lost):
    """It is named once it has something to say, and nothing of that is heard."""
    outgoing = run()
    ledger.cancel("job_1", "acme")
    outgoing.write(lines("a", 2))
    wait_for(lambda: lost)
    assert lost == [("job_1", 1)]
    assert there(ledger) == []


def test_what_the_ledger_lacks_is_sent_again(ledger, redis, settings, run):
    """Lines that were lost after they had arrived come back before those that follow."""
    outgoing = run()
    outgoing.write(lines("a", 6))
    wait_for(lambda: not outgoing.waiting)
    redis.rpop(f"{settings.key_prefix}stream:job_1", 4)
    outgoing.write(lines("a", 2, 6))
    wait_for(lambda: not outgoing.waiting)
    assert there(ledger) == lines("a", 8)

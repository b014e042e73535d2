"""The frames of a streamed answer: each once, in order, from the run that holds the job, to whoever follows."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.job import JobStatus, Usage
from tests.workers.conftest import outcome, submission
from workers.ledger.record import Frames, Told

ADDRESS = "api"


pytestmark = pytest.mark.usefixtures("running")


@pytest.fixture
def running(ledger):
    """A streamed job that is running in its first run."""
    ledger.submit(submission(stream="1", waiter=ADDRESS))
    return ledger.claim("job_1", 1)


@pytest.fixture
def key(settings):
    """The ledger's key of that name."""
    return lambda name: settings.key_prefix + name


@pytest.fixture
def replies(redis, key):
    """What an API process was sent."""
    return lambda address=ADDRESS: redis.lrange(key(f"replies:{address}"), 0, -1)


def relay(ledger, start, *lines, epoch=1):
    [count] = ledger.streams.relay([("job_1", epoch, Frames(start, lines))])
    return count


def frames(ledger, start=0):
    return ledger.streams.follow("job_1", "acme", "", start).frames


def test_frames_are_kept_and_sent_to_who_waits(ledger, running, replies):
    """A step adds frames to the stream, and sends them under the number of the first."""
    assert running.streamed == 0
    assert relay(ledger, 0, '"a"', '"b"') == 2
    assert relay(ledger, 2, '"c"') == 3
    assert frames(ledger) == [b'"a"', b'"b"', b'"c"']
    assert replies() == ['job_1 frames 0\n"a"\n"b"', 'job_1 frames 2\n"c"']


def test_a_repeated_step_adds_nothing(ledger, replies):
    """A step whose answer got lost is taken again: what is there is left alone, what is not is added."""
    relay(ledger, 0, '"a"', '"b"')
    assert relay(ledger, 0, '"a"', '"b"') == 2
    assert relay(ledger, 1, '"b"', '"c"') == 3
    assert frames(ledger) == [b'"a"', b'"b"', b'"c"']
    assert replies()[1:] == ['job_1 frames 2\n"c"']


def test_after_a_gap_nothing_is_added(ledger):
    """Frames the ledger has lost must be sent again first; the count tells from where."""
    relay(ledger, 0, '"a"')
    assert relay(ledger, 2, '"c"') == 1
    assert frames(ledger) == [b'"a"']


def test_only_the_run_that_holds_the_job_is_heard(ledger):
    """A run that lost its job, to another run or to its end, adds nothing."""
    assert relay(ledger, 0, '"x"', epoch=2) is None
    ledger.cancel("job_1", "acme")
    assert relay(ledger, 0, '"x"') is None
    assert frames(ledger) == []


def test_another_run_knows_what_went_out(ledger):
    """A run after the first is told how many frames there are."""
    relay(ledger, 0, '"a"', '"b"')
    ledger.hand_over("job_1", 1, 1, Told())
    assert ledger.claim("job_1", 2).streamed == 2


def test_a_job_without_a_stream_has_none(ledger):
    """Its run is told so."""
    ledger.submit(submission("job_2"))
    assert ledger.claim("job_2", 1).streamed is None


def test_the_last_frames_go_with_the_end(ledger, redis, key, replies):
    """One step stores the answer and the rest of the stream; the end comes last and tells how many frames there are."""
    relay(ledger, 0, '"a"')
    ledger.finish("job_1", 1, outcome(frames=Frames(1, ['"b"', '"c"'])))
    assert frames(ledger) == [b'"a"', b'"b"', b'"c"']
    assert replies()[1:] == ['job_1 frames 1\n"b"\n"c"', 'job_1 completed 200 3\n{"ok": true}']
    assert 0 < redis.ttl(key("stream:job_1")) <= redis.ttl(key("job:job_1"))


def test_a_stream_is_followed_page_by_page(ledger):
    """A page has at most so many frames; the end comes with the last of them."""
    relay(ledger, 0, *(f'"{number}"' for number in range(5)))
    ledger.finish("job_1", 1, outcome())
    first = ledger.streams.follow("job_1", "acme", "", 0, most=3)
    assert (first.frames, first.all, first.ended) == ([b'"0"', b'"1"', b'"2"'], False, None)
    last = ledger.streams.follow("job_1", "acme", "", 3, most=3)
    assert (last.frames, last.all) == ([b'"3"', b'"4"'], True)
    assert last.ended.status is JobStatus.COMPLETED
    assert (last.provider, last.model, last.stream) == ("groq", "fast", "1")


def test_who_follows_is_told_the_rest(ledger, replies):
    """What comes after the page is sent to its address, from the very next frame on."""
    relay(ledger, 0, '"a"')
    page = ledger.streams.follow("job_1", "acme", "other", 0)
    relay(ledger, 1, '"b"')
    assert page.frames == [b'"a"']
    assert replies("other") == ['job_1 frames 1\n"b"']


def test_another_tenant_cannot_follow(ledger):
    """As if there were no such job."""
    assert ledger.streams.follow("job_1", "rival", "other", 0) is None


def test_a_process_that_takes_nothing_is_sent_no_more(ledger, redis, key):
    """A reply list stays bounded; the frames are in the ledger all the same."""
    redis.rpush(key(f"replies:{ADDRESS}"), *["x"] * 20_000)
    relay(ledger, 0, '"a"')
    assert redis.llen(key(f"replies:{ADDRESS}")) == 20_000
    assert frames(ledger) == [b'"a"']


def test_what_a_cancelled_run_used_is_settled_once(ledger, redis, key):
    """Usage, cost and the attempt are added to the cancelled job by the run it was taken from, and by no other."""
    told = Told('{"provider":"groq","model":"m","status":"cancelled","started_at":1,"duration":5}', "groq/m 3 5.0 0")
    used = Usage(prompt_tokens=7, completion_tokens=9)
    assert not ledger.settle("job_1", 1, told, used, 11)
    ledger.cancel("job_1", "acme")
    assert not ledger.settle("job_1", 2, told, used, 11)
    assert ledger.settle("job_1", 1, told, used, 11)
    assert not ledger.settle("job_1", 1, told, used, 11)
    [usage] = redis.keys(key("usage:acme:*"))
    assert redis.hgetall(usage) == {"prompt_tokens": "7", "completion_tokens": "9", "cost_microusd": "11"}
    assert [attempt["status"] for attempt in ledger.read("job_1").attempts] == ["cancelled"]


def test_a_cancelled_run_is_called_off(ledger, redis, key):
    """The ledger says on its channel which job was cancelled; of one that no worker runs it says nothing."""
    with redis.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe(key("revoked"))
        listener.get_message(timeout=5)
        ledger.submit(submission("job_2"))
        ledger.cancel("job_2", "acme")
        ledger.cancel("job_1", "acme")
        message = next(message for _ in range(20) if (message := listener.get_message(timeout=1)) is not None)
    assert message["data"] == "job_1"


steps = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6), st.booleans()), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_any_repetition_gives_each_frame_once(ledger, redis, replies, steps):
    """However often, from wherever and in whichever sizes a run sends its lines, the stream is their beginning."""
    redis.flushdb()
    ledger.submit(submission(stream="1", waiter=ADDRESS))
    ledger.claim("job_1", 1)
    lines = [f'"{number}"' for number in range(20)]
    there = 0
    for start, many, whole in steps:
        sent = lines[start : start + (many if whole else 1)]
        count = relay(ledger, start, *sent)
        there = max(there, start + len(sent)) if start <= there else there
        assert count == there
    assert frames(ledger) == [line.encode() for line in lines[:there]]
    told = [message.partition("\n") for message in replies()]
    assert [line for _, _, rest in told for line in rest.split("\n")] == lines[:there]

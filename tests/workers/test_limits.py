"""What of an answer's limits is worth telling."""

import json

import pytest

from routing.errors import ProviderFailed, ProviderRateLimited
from workers.limits import NOTHING, LimitReader
from workers.providers.base import Account, Reply
from workers.providers.registry import adapter

NAME = "groq/m"


def reply(limit, remaining, status=200):
    headers = {"x-ratelimit-limit-requests": str(limit), "x-ratelimit-remaining-requests": str(remaining)}
    return Reply(status, headers, b"{}")


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def reader(clock):
    return LimitReader(adapter(Account("groq", "https://groq.example/v1", None), "groq"), clock)


def test_a_tight_limit_is_told_once_in_a_while(reader):
    """The first answer tells; the next, a moment later, is counted by the ledger itself."""
    assert reader.read(NAME, reply(30, 29)).words == "groq/m 0 rpm 30 60000 29 rpd 0 60000 0"
    assert reader.read(NAME, reply(30, 28)) == NOTHING
    assert reader.read("groq/other", reply(30, 28)).words


def test_a_wide_limit_costs_next_to_nothing(reader, clock):
    """A limit nobody comes near is only told, now and then, to be none; when half of it is gone it counts."""
    assert reader.read(NAME, reply(100_000, 99_000)).words == "groq/m 0 rpm 0 60000 99000 rpd 0 60000 0"
    clock.now += 1
    assert reader.read(NAME, reply(100_000, 99_000)) == NOTHING
    clock.now += 1
    assert reader.read(NAME, reply(100_000, 49_000)).words == "groq/m 0 rpm 100000 60000 49000 rpd 0 60000 0"


def test_a_refusal_with_an_empty_gauge_holds_everybody_back(reader):
    """For as long as the provider asks, with the limit it named."""
    lesson = reader.read(NAME, reply(30, 0, 429), ProviderRateLimited("no", retry_after_s=2.5))
    assert (lesson.words, lesson.gated, lesson.crowded) == ("groq/m 2500 rpm 30 60000 0", True, False)


def test_a_refusal_that_names_no_limit_reached_is_crowding(reader):
    """Nobody else is held back; the worker has fewer calls under way."""
    lesson = reader.read(NAME, reply(30, 12, 429), ProviderRateLimited("no", retry_after_s=2.5))
    assert (lesson.gated, lesson.crowded) == (False, True)


@pytest.mark.parametrize(("asked", "gate_ms"), [(None, 1000), (0.0, 250), (7.0, 7000)])
def test_a_refusal_without_gauges_is_taken_for_both(reader, asked, gate_ms):
    """Where nothing is told, everybody waits for a moment and fewer calls are made at once."""
    lesson = reader.read(NAME, Reply(429, {}, b""), ProviderRateLimited("no", retry_after_s=asked))
    assert (lesson.words, lesson.gated, lesson.crowded) == (f"groq/m {gate_ms}", True, True)


def test_any_other_failure_teaches_as_an_answer_does(reader):
    """Limits in the headers of a 500 count, its Retry-After is the job's own."""
    lesson = reader.read(NAME, reply(30, 12, 500), ProviderFailed("no", retry_after_s=9))
    assert (lesson.words, lesson.gated, lesson.crowded) == ("groq/m 0 rpm 30 60000 12 rpd 0 60000 0", False, False)


def test_geminis_quota_is_read_from_its_body():
    """The one vendor whose headers tell nothing says what is reached in the refusal."""
    gemini = LimitReader(adapter(Account("g", "https://g.example/v1beta", None), "google-gemini"))
    violation = {"quotaMetric": "requests", "quotaId": "RequestsPerMinute", "quotaValue": "10"}
    body = json.dumps({"error": {"details": [{"violations": [violation]}]}}).encode()
    lesson = gemini.read(NAME, Reply(429, {}, body), ProviderRateLimited("no", retry_after_s=3))
    assert (lesson.words, lesson.gated, lesson.crowded) == ("groq/m 3000 rpm 10 60000 0", True, False)

"""Several keys of one account: who is next, who rests and for how long, and what they have left together."""

from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from routing.errors import KeyRefused, ProviderFailed, ProviderMisconfigured, ProviderRateLimited
from routing.permits import Gauge
from workers.key_gauges import KeyGauges
from workers.key_rotation import REFUSED_S, KeyRotation
from workers.limits import NOTHING, LimitReader
from workers.providers.base import Account, Reply
from workers.providers.registry import adapter

MODEL, OTHER = "m", "other"
DEPLOYMENT = "groq/m"


@dataclass(frozen=True)
class Key:
    key: str


A, B, C = Key("A_KEY"), Key("B_KEY"), Key("C_KEY")
LIMITED = ProviderRateLimited("full", upstream_status=429, retry_after_s=20.0)
BAD_KEY = KeyRefused("no", upstream_status=401)
FORBIDDEN = KeyRefused("no", upstream_status=403)


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(clock):
    return KeyRotation("groq", [A, B, C], clock)


def test_each_call_begins_with_another_key(keys):
    """In turn, and behind each the others, should it be refused."""
    assert [keys.turn(MODEL) for _ in range(4)] == [(A, B, C), (B, C, A), (C, A, B), (A, B, C)]


def test_a_limited_key_rests_until_its_time_for_that_model(keys, clock):
    """Vendors limit each model by itself: other models go on with the key."""
    assert not keys.settles(A, MODEL, LIMITED)
    assert keys.turn(MODEL) == (B, C)
    assert set(keys.turn(OTHER)) == {A, B, C}
    clock.now += 20
    assert set(keys.turn(MODEL)) == {A, B, C}


def test_a_refused_key_rests_for_minutes_for_every_model(keys, clock):
    """401 is the key's; 403 may be a right that it lacks for one model."""
    assert not keys.settles(A, MODEL, BAD_KEY)
    assert not keys.settles(B, MODEL, FORBIDDEN)
    assert keys.turn(MODEL) == (C,)
    assert set(keys.turn(OTHER)) == {B, C}
    clock.now += REFUSED_S
    assert set(keys.turn(MODEL)) == {A, B, C}


def test_where_all_rest_the_first_to_be_back_is_asked(keys):
    """So a key that was mended is found out, and an error is always the provider's own."""
    for key, error in ((A, BAD_KEY), (B, LIMITED), (C, BAD_KEY)):
        keys.settles(key, MODEL, error)
    assert keys.turn(MODEL) == (B,)
    assert keys.room_in_s(MODEL) == 20.0


def test_an_answer_ends_the_rest_of_a_refused_key_and_not_of_a_limited_one(keys):
    """A call that began before the limit was met says nothing of what is left."""
    keys.settles(A, MODEL, BAD_KEY)
    keys.settles(B, MODEL, LIMITED)
    for key in (A, B):
        assert keys.settles(key, MODEL, "an answer")
    assert set(keys.turn(MODEL)) == {A, C}


def test_other_failures_are_the_calls_outcome(keys):
    """Another key mends no outage and no unknown model."""
    assert keys.settles(A, MODEL, ProviderFailed("down", upstream_status=500))
    assert keys.settles(A, MODEL, ProviderMisconfigured("no such model", upstream_status=404))
    assert keys.room_in_s(MODEL) is None


def test_a_single_key_never_rests(clock):
    """What it meets is what there is, as if nobody counted keys."""
    alone = KeyRotation("groq", [A], clock)
    assert alone.settles(A, MODEL, BAD_KEY)
    assert alone.settles(A, MODEL, LIMITED)
    assert alone.turn(MODEL) == (A,)


def test_room_is_told_of_limits_alone(keys):
    """A key that was refused has no room however soon its limit ends."""
    keys.settles(A, MODEL, ProviderRateLimited("full", upstream_status=429, retry_after_s=1.0))
    keys.settles(A, MODEL, BAD_KEY)
    keys.settles(B, MODEL, BAD_KEY)
    keys.settles(C, MODEL, BAD_KEY)
    assert keys.room_in_s(MODEL) is None


def test_resting_is_logged_once_by_the_variables_name(keys):
    """A rejected key is worth a warning, a limit is not; nothing is said again while it rests."""
    with capture_logs() as logs:
        for _ in range(3):
            keys.settles(A, MODEL, BAD_KEY)
            keys.settles(B, MODEL, LIMITED)
    assert [(entry["log_level"], entry["event"], entry["key"]) for entry in logs] == [
        ("warning", "provider.key_rests", "A_KEY"),
        ("info", "provider.key_rests", "B_KEY"),
    ]


def test_limits_are_added_up_once_each_key_has_told_its_own(clock):
    """Until then more may be left than anybody knows; what was told a while ago has refilled since."""
    gauges = KeyGauges(["A", "B"], clock)
    gauges.note(DEPLOYMENT, "A", (Gauge("rpm", 60, 10, 60_000), Gauge("tpm", 9, 9, 60_000)))
    assert gauges.together(DEPLOYMENT) == ()
    clock.now += 5
    gauges.note(DEPLOYMENT, "B", (Gauge("rpm", 60, 50, 60_000),))
    assert gauges.together(DEPLOYMENT) == (Gauge("rpm", 120, 65, 60_000),)
    assert gauges.together("groq/another") == ()


def test_a_refused_key_adds_nothing_until_it_answers(clock):
    """What the account may send is what its other keys may."""
    gauges = KeyGauges(["A", "B"], clock)
    for name in ("A", "B"):
        gauges.note(DEPLOYMENT, name, (Gauge("rpm", 60, 30, 60_000),))
    gauges.refuse("A")
    assert gauges.together(DEPLOYMENT) == (Gauge("rpm", 60, 30, 60_000),)
    gauges.note(DEPLOYMENT, "A", ())
    assert gauges.together(DEPLOYMENT)[0].limit == 120


def reply(remaining, status=200):
    headers = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": str(remaining)}
    return Reply(status, headers, b"{}")


def test_the_ledger_is_told_the_sum(clock):
    """One key's limit is never taken for the account's."""
    account = adapter(Account("groq", "https://groq.example/v1"), "groq")
    limits = LimitReader(account, clock, KeyGauges(["A", "B"], clock))
    assert limits.read(DEPLOYMENT, reply(59), key="A") == NOTHING
    assert limits.read(DEPLOYMENT, reply(57), key="B").words == "groq/m 0 rpm 120 60000 116 rpd 0 60000 0"
    limits.note(DEPLOYMENT, reply(0, 429), LIMITED, "A")
    told = limits.read(DEPLOYMENT, reply(0, 429), LIMITED, "B")
    assert told.words == "groq/m 20000 rpm 120 60000 57"
    limits.note(DEPLOYMENT, reply(0, 429), LIMITED, "B")
    assert limits.read(DEPLOYMENT, reply(0, 429), LIMITED).words == "groq/m 20000 rpm 120 60000 0"

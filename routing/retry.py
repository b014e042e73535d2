"""What happens after a failed attempt: again here, on the next candidate, later, or no more. Pure."""

from dataclasses import dataclass
from random import Random

from routing.errors import NextStep, ProviderError

DEFAULT_TRIES = 2
# Full jitter (AWS, "Exponential Backoff and Jitter"): a random wait up to a bound that doubles with each try.
_BASE_S = 0.2
_CAP_S = 5.0
# Waiting for capacity nobody told us the end of: doubles with each time, up to the cap.
_DEFER_S = 1.0
_DEFER_CAP_S = 30.0
# So that all who were told the same second do not come back in it.
_DEFER_JITTER = 0.1
# What can wait is not given up when all of its candidates have failed: they are asked again, for some minutes. Not for
# longer, or what no provider can do would keep a batch from its end.
_ROUNDS = 5
_ROUND_S, _ROUND_GROWTH = 5.0, 3.0


@dataclass(frozen=True, slots=True)
class Decision:
    """The next step; `delay_s` is how long until it, `reason` is for the log and the attempt's record.

    `afresh`: the job then begins again with the first candidate of its plan.
    """

    step: NextStep
    delay_s: float
    reason: str
    afresh: bool = False


def decide(
    error: ProviderError,
    *,
    tries: int,
    remaining_s: float,
    has_next: bool,
    rng: Random,
    max_tries: int = DEFAULT_TRIES,
    defers: int = 0,
    probe: bool = False,
    earlier: int = 0,
    budget: bool = True,
    shut: bool = False,
) -> Decision:
    """The step after `error`, within what its class calls for.

    `tries` are the calls this run has made to its deployment, this one included, and `earlier` those of the job's runs
    before it; `max_tries` bounds them.
    `remaining_s` is the time to the job's deadline: no step begins after it. `has_next` tells whether another
    candidate can take the job: with a larger context, after ContextLengthExceeded. After a rate limit the step is
    DEFER: the ledger, which has the permits, gives the job to whoever has room; the delay is for the same candidate.
    `defers` is how often the job was deferred before. `probe`: it is one of the few calls a half open breaker permits,
    so it is not made again in place. `shut`: a breaker was seen to open since the run began. `budget`: the provider's
    retry budget has room for one more call.
    """
    if remaining_s <= 0:
        return Decision(NextStep.STOP, 0.0, "the deadline has come")
    match error.next_step:
        case NextStep.RETRY:
            elsewhere = _not_in_place(error, probe=probe, shut=shut)
            # Who waits for a provider or a breaker waits as long as it takes.
            made = tries + earlier if elsewhere is None else tries
            if elsewhere is None and not budget:
                elsewhere = "the provider's retry budget is spent"
            return _retry(error, made, max_tries, remaining_s, has_next=has_next, rng=rng, elsewhere=elsewhere)
        case NextStep.DEFER:
            return _wait_for_room(error, defers, rng)
        case NextStep.FAILOVER:
            return _move_on("no other deployment would fail in the same way", has_next=has_next)
        case NextStep.STOP:
            return Decision(NextStep.STOP, 0.0, "the request itself was refused")


def give_up_or_wait(
    error: ProviderError, stop: Decision, *, rounds: int | None, remaining_s: float, rng: Random
) -> Decision:
    """The step of a job for which no candidate is left, as `stop` says: one that can wait asks all of them again.

    `rounds` is how often it did so before; None for a job that cannot wait. Only what may pass is waited for.
    """
    if rounds is None or error.next_step is not NextStep.RETRY or rounds + 1 >= _ROUNDS:
        return stop
    delay_s = _ROUND_S * _ROUND_GROWTH**rounds * (1 + rng.uniform(0, _DEFER_JITTER))
    if delay_s >= remaining_s:
        return stop
    why = f"{stop.reason}; it can wait for round {rounds + 2} of {_ROUNDS}"
    return Decision(NextStep.DEFER, delay_s, why, afresh=True)


def around_breaker(wait_s: float | None, *, remaining_s: float, defers: int, rng: Random) -> Decision:
    """The step of a job whose call a circuit breaker forbids: FAILOVER at once (`wait_s` 0), DEFER, or STOP.

    `wait_s` is how long until somebody may be called, None where nobody knows: then it doubles with each defer.
    """
    if wait_s == 0:
        return Decision(NextStep.FAILOVER, 0.0, "the circuit breaker is open")
    delay_s = _put_off_s(wait_s, defers, rng)
    if delay_s >= remaining_s:
        return Decision(NextStep.STOP, 0.0, "the circuit breaker is open until after the deadline")
    return Decision(NextStep.DEFER, delay_s, "the circuit breaker is open, and no other candidate may be called")


def _not_in_place(error: ProviderError, *, probe: bool, shut: bool) -> str | None:
    """Why a call that may pass must not be made again by this run; None where it may."""
    if probe:
        return "a probe is one call"
    if shut:
        return "the circuit breaker has opened meanwhile"
    if (error.retry_after_s or 0.0) > _CAP_S:
        return f"the provider asks to wait {error.retry_after_s:g} s"
    return None


def _retry(
    error: ProviderError,
    made: int,
    max_tries: int,
    remaining_s: float,
    *,
    has_next: bool,
    rng: Random,
    elsewhere: str | None,
) -> Decision:
    """Again in place, or where there is a reason to go `elsewhere`: to the next candidate, else here, but later."""
    if made >= max_tries:
        return _move_on(f"{made} of {max_tries} tries are spent", has_next=has_next)
    delay_s = max(error.retry_after_s or 0.0, rng.uniform(0, min(_CAP_S, _BASE_S * 2 ** min(made - 1, 16))))
    if delay_s >= remaining_s:
        return _move_on("the deadline comes before the next try", has_next=has_next)
    if elsewhere is None:
        return Decision(NextStep.RETRY, delay_s, f"try {made + 1} of {max_tries}")
    if has_next:
        return _move_on(elsewhere, has_next=has_next)
    return Decision(NextStep.DEFER, delay_s, elsewhere)


def _wait_for_room(error: ProviderError, defers: int, rng: Random) -> Decision:
    return Decision(NextStep.DEFER, _put_off_s(error.retry_after_s, defers, rng), "rate limited")


def _put_off_s(wait_s: float | None, defers: int, rng: Random) -> float:
    """How long a job waits that was told `wait_s`, or (None) nothing."""
    if wait_s is None:
        wait_s = min(_DEFER_CAP_S, _DEFER_S * 2 ** min(defers, 16))
    return wait_s * (1 + rng.uniform(0, _DEFER_JITTER))


def _move_on(why: str, *, has_next: bool) -> Decision:
    if has_next:
        return Decision(NextStep.FAILOVER, 0.0, why)
    return Decision(NextStep.STOP, 0.0, f"{why}, and no candidate is left")

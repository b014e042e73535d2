"""What one provider's answers tell of its limits, and which of it is worth telling the ledger."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from routing.errors import KeyRefused, ProviderError, ProviderRateLimited
from routing.permits import Gauge
from workers.key_gauges import KeyGauges
from workers.ledger.permits import learnt_words
from workers.providers.base import Provider, Reply

# A deployment's gauges are told this often at most: in between, the ledger counts for itself.
_EVERY_S = 0.25
_WIDE_EVERY_S = 5.0
# Callers may name models no configuration lists; made-up names must not fill the memory.
_MOST_KNOWN = 1_000
# A limit this far from its end holds nobody up: it is not told, and costs nothing.
_WIDE_REQUESTS, _WIDE_TOKENS = 1_000, 500_000
# How long nothing is sent where a provider refuses for its rate and does not say until when.
_UNKNOWN_GATE_S, _LEAST_GATE_S = 1.0, 0.25


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one answer taught."""

    # For the ledger; empty where it is nothing new.
    words: str = ""
    # Nothing may be sent to the deployment for a while.
    gated: bool = False
    # It was refused although no limit it tells of was reached: too many calls at once.
    crowded: bool = False


NOTHING = Lesson()


class LimitReader:
    """Reads the limits in one account's answers. Where it has several keys, theirs are added up (`together`)."""

    def __init__(
        self, adapter: Provider, clock: Callable[[], float] = time.monotonic, together: KeyGauges | None = None
    ) -> None:
        self._adapter = adapter
        self._clock = clock
        self._together = together
        self._told: dict[str, float] = {}
        self._told_wide: dict[str, float] = {}

    def note(self, deployment: str, reply: Reply | None, error: ProviderError, key: str) -> None:
        """Keep what a refusal of one of several keys tells: nothing that the ledger must know yet."""
        if self._together is None:
            return
        if isinstance(error, KeyRefused):
            self._together.refuse(key)
        elif reply is not None:
            self._together.note(deployment, key, self._adapter.gauges(reply))

    def read(self, deployment: str, reply: Reply, error: ProviderError | None = None, key: str = "") -> Lesson:
        """What `reply`, the answer to a call with `key`, taught; `error` is what it was taken for."""
        if isinstance(error, ProviderRateLimited):
            return self._refused(deployment, reply, error)
        if self._together is not None:
            self._together.note(deployment, key, self._adapter.gauges(reply))
        now = self._clock()
        if now - self._told.get(deployment, -_EVERY_S) < _EVERY_S:
            return NOTHING
        gauges = self._adapter.gauges(reply) if self._together is None else self._together.together(deployment)
        tight = [gauge for gauge in gauges if _is_tight(gauge)]
        # A limit that was tight may have been raised: that is told now and then, for whoever still keeps to it.
        wide = [replace(gauge, limit=0) for gauge in gauges if gauge not in tight]
        if wide and now - self._told_wide.get(deployment, -_WIDE_EVERY_S) >= _WIDE_EVERY_S:
            self._told_wide[deployment] = now
            tight += wide
        if not tight:
            return NOTHING
        if len(self._told) >= _MOST_KNOWN:
            self._told.clear()
            self._told_wide.clear()
        self._told[deployment] = now
        return Lesson(learnt_words(deployment, tight))

    def _refused(self, deployment: str, reply: Reply, error: ProviderRateLimited) -> Lesson:
        gauges = self._adapter.gauges(reply)
        told = gauges if self._together is None else self._together.together(deployment)
        if gauges and all(gauge.remaining > 0 for gauge in gauges):
            tight = [gauge for gauge in told if _is_tight(gauge)]
            return Lesson(learnt_words(deployment, tight) if tight else "", crowded=True)
        gate_s = _UNKNOWN_GATE_S if error.retry_after_s is None else max(error.retry_after_s, _LEAST_GATE_S)
        return Lesson(learnt_words(deployment, told, int(gate_s * 1000)), gated=True, crowded=not gauges)


def _is_tight(gauge: Gauge) -> bool:
    wide = _WIDE_REQUESTS if gauge.name.startswith("r") else _WIDE_TOKENS
    return gauge.remaining < wide or gauge.remaining < gauge.limit / 2

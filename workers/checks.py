"""Checks of this worker's provider account while no call says how it is: by one process at a time, without a token."""

import random
import time

import gevent
import structlog

from config.configuration import ConfigurationError
from routing.check import CheckStatus
from routing.errors import ProviderError, ProviderFailed, ProviderMisconfigured, ProviderTimeout, StoreUnavailable
from routing.provider_health import why_due
from routing.store import SnapshotReader
from workers.ledger.ledger import Ledger
from workers.ledger.record import Finding
from workers.upstreams import Keys, Upstream, Upstreams

log = structlog.get_logger()

TIMEOUT_S = 10.0
# After a check that was not good the next comes this soon, then ever later, up to the interval.
AGAIN_S = 5.0
# How often each process asks whether it is its turn, at least.
_LOOK_S = 5.0
_LONGEST_ERROR = 300
# Answers that only say that there is no list of models here: the host is up, and the key was not refused.
_NO_LIST = (404, 405, 410, 421)


class Checks:
    """Asks the provider for its models when nobody knows how it is, and has the ledger keep what came of it."""

    def __init__(
        self,
        ledger: Ledger,
        upstreams: Upstreams,
        snapshots: SnapshotReader,
        *,
        provider: str,
        interval_s: float,
        rng: random.Random,
    ) -> None:
        self._ledger = ledger
        self._upstreams = upstreams
        self._snapshots = snapshots
        self._provider = provider
        self._interval_s = interval_s
        self._rng = rng

    def run(self) -> None:
        """Check for ever. The first look comes within a second of the start, so that something is known soon."""
        longest_s, starting = min(1.0, self._interval_s), True
        while True:
            # Spread, so that processes do not meet.
            gevent.sleep(longest_s * self._rng.uniform(0.5, 1.0))
            longest_s = min(_LOOK_S, self._interval_s / 4)
            try:
                self.once(starting=starting)
                starting = False
            except StoreUnavailable:
                log.debug("provider.not_checked", provider=self._provider, why="the job store is away")

    def once(self, *, starting: bool = False) -> bool:
        """Check the account if it is this process's turn and its calls do not say enough; whether it was checked.

        A process that is `starting` looks out of turn at an account that was not well: its key may have been corrected.
        """
        turn = self._ledger.provider_records.take_check_turn(self._provider, self._interval_s)
        known = (turn or starting) and self._snapshots.refresh()
        if not known or not (turn or self._provider in self._snapshots.current.ailing):
            return False
        finding = self._finding()
        if finding is None:
            return False
        before = self._ledger.provider_records.record_check(self._provider, finding, self._next_s(finding))
        if before is not finding.status:
            self._tell(before, finding)
        return True

    def _next_s(self, finding: Finding) -> float:
        if finding.status is CheckStatus.OK:
            return self._interval_s
        last = self._snapshots.current.checks.get(self._provider)
        failed_before = 0 if last is None else last.failures
        return min(self._interval_s, AGAIN_S * 2.0 ** min(failed_before, 16))

    def _finding(self) -> Finding | None:
        """What a check finds now; None where none is due, or the account is not to be called."""
        try:
            keys = self._upstreams.get(self._provider)
        except ConfigurationError as error:
            return Finding(CheckStatus.MISCONFIGURED, 0.0, _short(str(error)))
        if keys is None:
            return None
        why = why_due(self._provider, self._snapshots.current, time.time(), self._interval_s)
        if why is None:
            return None
        finding = look_with_any(keys, min(TIMEOUT_S, self._interval_s))
        log.debug("provider.checked", provider=self._provider, why=why, status=finding.status.value)
        return finding

    def _tell(self, before: CheckStatus | None, finding: Finding) -> None:
        about = {"provider": self._provider, "error": finding.error}
        match finding.status:
            case CheckStatus.OK if before is not None:
                log.info("provider.well_again", **about)
            case CheckStatus.FAILED:
                log.warning("provider.check_failed", **about)
            case CheckStatus.MISCONFIGURED:
                log.error(
                    "provider.misconfigured",
                    **about,
                    do="correct its key or its row in providers.json, or its account at the vendor",
                )


def look_with_any(keys: Keys, timeout_s: float) -> Finding:
    """As `look`, with one key after the other until one is not refused: that is how the account is."""
    for upstream in keys.turn(""):
        finding = look(upstream, timeout_s)
        if finding.status is not CheckStatus.MISCONFIGURED:
            break
    return finding


def look(upstream: Upstream, timeout_s: float) -> Finding:
    """Ask an account for its models, and read what comes as news of its host and key; of no model in particular."""
    began = time.monotonic()
    try:
        reply = upstream.http.send(upstream.adapter.listing(), timeout_s)
    except ProviderError as error:
        return Finding(CheckStatus.FAILED, _ms_since(began), _short(error.message))
    latency_ms = _ms_since(began)
    if 200 <= reply.status < 300:
        return Finding(CheckStatus.OK, latency_ms)
    failure = upstream.adapter.failure(reply)
    status = CheckStatus.OK
    if isinstance(failure, ProviderFailed | ProviderTimeout):
        status = CheckStatus.FAILED
    elif isinstance(failure, ProviderMisconfigured) and reply.status >= 400 and reply.status not in _NO_LIST:
        status = CheckStatus.MISCONFIGURED
    return Finding(status, latency_ms, _short(failure.message))


def _ms_since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)


def _short(words: str) -> str:
    return " ".join(words.split())[:_LONGEST_ERROR]

"""Circuit breakers of a replay: breaker.lua's rules in memory, without its slices, its lost probes and its forcing."""

from collections import deque
from collections.abc import Iterable
from math import inf

from config.breaker import BreakerConfig
from routing.breaker import Breaker, BreakerState
from routing.catalogue import Deployment

# Failures and slow calls, each 0 or 1, of one call, and when it ended.
Ended = tuple[float, int, int]


class ReplayBreakers:
    """One breaker per deployment and one per account, by name. Times are Unix seconds of the replayed time."""

    def __init__(self, settings: BreakerConfig) -> None:
        self._settings = settings
        self._by_name: dict[str, _Switch] = {}
        self._shut: dict[str, Breaker] = {}

    @property
    def shut(self) -> dict[str, Breaker]:
        """Those that are not closed, as a plan reads them; to be copied by whoever keeps it."""
        return self._shut

    def wait_s(self, deployment: Deployment, now: float) -> float | None:
        """How long until a call may be made: 0 now, None nobody knows."""
        if not self._shut:
            return 0.0
        waits = [switch.wait_s(now) for _, switch in self._both(deployment)]
        return None if None in waits else max(wait for wait in waits if wait is not None)

    def let_through(self, deployment: Deployment, run: int, now: float) -> bool:
        """Note that `run` makes a call that need not wait; whether it is a probe."""
        if not self._shut:
            return False
        is_probe = False
        for name, switch in self._both(deployment):
            is_probe |= switch.let_through(run, now)
            self._note(name, switch)
        return is_probe

    def record(self, deployment: Deployment, run: int, *, failed: bool, duration_ms: float, now: float) -> None:
        """Count a call that has ended, as a probe where `run` was let through as one."""
        slow = duration_ms >= self._settings.slow_call_duration_threshold_ms
        for name, switch in self._both(deployment):
            if switch.record((now, int(failed), int(slow)), run):
                self._note(name, switch)

    def _both(self, deployment: Deployment) -> Iterable[tuple[str, "_Switch"]]:
        for name in (deployment.id, deployment.provider):
            switch = self._by_name.get(name)
            if switch is None:
                # Failures in a row count for the deployment, not for its account.
                in_a_row = self._settings.consecutive_failures_threshold if name == deployment.id else inf
                switch = self._by_name[name] = _Switch(self._settings, in_a_row)
            yield name, switch

    def _note(self, name: str, switch: "_Switch") -> None:
        if switch.state is BreakerState.CLOSED:
            self._shut.pop(name, None)
        else:
            self._shut[name] = Breaker(switch.state, switch.changed_s, switch.until_s, switch.trips)


class _Switch:
    """One breaker that changes in place."""

    def __init__(self, settings: BreakerConfig, most_in_a_row: float) -> None:
        self.state = BreakerState.CLOSED
        self.changed_s = self.until_s = 0.0
        self.trips = 0
        self._settings = settings
        # Closed: the window; half open: the probes' outcomes.
        self._ended: deque[Ended] = deque()
        self._failures = self._slow = self._streak = 0
        self._probes: set[int] = set()
        self._most_in_a_row = most_in_a_row
        self._streak = 0

    def wait_s(self, now: float) -> float | None:
        if self.state is BreakerState.OPEN:
            return max(self.until_s - now, 0.0)
        permitted = self._settings.permitted_number_of_calls_in_half_open_state
        is_full = self._probes and len(self._probes) + len(self._ended) >= permitted
        return None if self.state is BreakerState.HALF_OPEN and is_full else 0.0

    def let_through(self, run: int, now: float) -> bool:
        if self.state is BreakerState.OPEN:
            self._change(BreakerState.HALF_OPEN, now)
        if self.state is not BreakerState.HALF_OPEN:
            return False
        self._probes.add(run)
        return True

    def record(self, ended: Ended, run: int) -> bool:
        """Whether the state changed."""
        before = self.state
        if before is BreakerState.CLOSED:
            self._record_closed(ended)
        elif before is BreakerState.HALF_OPEN and run in self._probes:
            self._probes.discard(run)
            self._record_probe(ended)
        return self.state is not before

    def _record_closed(self, ended: Ended) -> None:
        now, failed, slow = ended
        self._count(ended)
        self._streak = self._streak + 1 if failed else 0
        while self._ended[0][0] <= now - self._settings.sliding_window_s:
            _, failures, slows = self._ended.popleft()
            self._failures -= failures
            self._slow -= slows
        calls = len(self._ended)
        # A good call never opens it.
        bad = failed + slow and calls >= self._settings.minimum_number_of_calls and self._is_bad(calls)
        if bad or self._streak >= self._most_in_a_row:
            self._change(BreakerState.OPEN, now)

    def _record_probe(self, ended: Ended) -> None:
        self._count(ended)
        settings = self._settings
        all_probes, calls = settings.permitted_number_of_calls_in_half_open_state, len(self._ended)
        left = all_probes - calls
        if self._is_bad(all_probes):
            self._change(BreakerState.OPEN, ended[0])
        elif calls >= all_probes or (
            (left + self._failures) * 100 < settings.failure_rate_threshold * all_probes
            and (left + self._slow) * 100 < settings.slow_call_rate_threshold * all_probes
        ):
            self._change(BreakerState.CLOSED, ended[0])

    def _count(self, ended: Ended) -> None:
        self._ended.append(ended)
        self._failures += ended[1]
        self._slow += ended[2]

    def _is_bad(self, calls: int) -> bool:
        settings = self._settings
        return (
            self._failures * 100 >= settings.failure_rate_threshold * calls
            or self._slow * 100 >= settings.slow_call_rate_threshold * calls
        )

    def _change(self, to: BreakerState, now: float) -> None:
        settings = self._settings
        if to is BreakerState.OPEN:
            # Past the 64th any factor has reached the maximum, and none has left the range of a float.
            factor = settings.exponential_backoff_multiplier ** min(self.trips, 64)
            wait_s = settings.wait_duration_in_open_state_s * factor
            self.until_s = now + min(wait_s, settings.exponential_max_wait_duration_in_open_state_s)
            self.trips += 1
        elif to is BreakerState.CLOSED:
            self.trips = 0
        self.state, self.changed_s = to, now
        self._ended.clear()
        self._probes.clear()
        self._failures = self._slow = self._streak = 0

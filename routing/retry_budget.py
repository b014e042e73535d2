"""How many retries a provider may get: a share of its first tries, so that one that is down is not hammered. No I/O."""

from collections import deque
from dataclasses import dataclass

from config.retry import RetryConfig

_SLICES = 10
# So that ten tenths are one.
_ROUNDING = 1e-9


@dataclass(slots=True)
class _Slice:
    number: int
    tries: int = 0
    retries: int = 0


class RetryBudget:
    """A sliding budget, as Finagle's RetryBudget is: tries pay in a share of a retry, and both fade with the window.

    Within any window of calls there are at most `budget_percent` of the tries plus `budget_reserve` retries. The budget
    is one process's, for one provider; what each process keeps, all of them together keep. Times are monotonic seconds.
    """

    def __init__(self, config: RetryConfig) -> None:
        self.config = config
        self._slice_s = config.budget_window_s / _SLICES
        self._slices: deque[_Slice] = deque()
        self._tries = 0
        self._retries = 0

    def deposit(self, now: float) -> None:
        """A first try is made."""
        self._current(now).tries += 1
        self._tries += 1

    def allows(self, now: float) -> bool:
        """Whether a retry may be made at `now`."""
        self._current(now)
        paid_in = self._tries * self.config.budget_percent / 100 + self.config.budget_reserve
        return self._retries + 1 <= paid_in + _ROUNDING

    def withdraw(self, now: float) -> None:
        """A retry is made. One that could not be refused may leave a debt, which others wait for."""
        self._current(now).retries += 1
        self._retries += 1

    def refund(self, now: float) -> None:
        """A retry that was taken out was not made."""
        self._current(now).retries -= 1
        self._retries -= 1

    def _current(self, now: float) -> _Slice:
        """The slice of `now`, with all that is older than the window forgotten."""
        number = int(now // self._slice_s)
        slices = self._slices
        while slices and slices[0].number <= number - _SLICES:
            old = slices.popleft()
            self._tries -= old.tries
            self._retries -= old.retries
        if not slices or slices[-1].number < number:
            slices.append(_Slice(number))
        return slices[-1]

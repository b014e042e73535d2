"""The signals that tell a supervisor to stop. Counting only: what follows is decided where it is safe."""

import signal
from types import FrameType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Counts stop signals while it is entered: the first asks for an orderly stop, a second for an immediate one."""

    def __init__(self) -> None:
        self._count = 0
        self._previous: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._count += 1

    @property
    def requested(self) -> bool:
        """A stop was asked for."""
        return self._count > 0

    @property
    def insistent(self) -> bool:
        """It was asked for again."""
        return self._count > 1

"""The machine that the processes of one test run share: many at once, or one that has it to itself."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


class Machine:
    """Locks in a folder that all processes of the run are told; what a process holds ends with it."""

    def __init__(self, folder: Path) -> None:
        self._door = (folder / "door").open("w")
        self._room = (folder / "room").open("w")

    @contextlib.contextmanager
    def used(self, *, alone: bool) -> Iterator[None]:
        """Use it beside others, or alone: then it is waited until they have left, and nobody comes in before."""
        # Who waits for the room keeps the door, so that others who come and go cannot keep it out for ever.
        with _held(self._door, fcntl.LOCK_EX):
            fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the files back."""
        self._door.close()
        self._room.close()


@contextlib.contextmanager
def _held(file, how: int) -> Iterator[None]:
    fcntl.flock(file, how)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)

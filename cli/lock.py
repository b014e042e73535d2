"""The lock that keeps one HOME to one running stack. The kernel drops it with its holder, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class HomeInUse(Exception):
    """Another stack runs in this HOME; the message names its process."""


@contextmanager
def home_lock(home: Path) -> Iterator[int]:
    """Hold HOME for this process and whoever inherits the file descriptor it yields, or raise HomeInUse."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Never truncated before it is locked: the file names the holder to whoever is refused.
    with (home / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise HomeInUse(
                f"a stack already runs in {home}, or is still ending (process {file.read().strip() or 'unknown'}): "
                f"stop it, or set MODEL_ROUTER_HOME to another folder"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield file.fileno()


def home_is_locked(home: Path) -> bool:
    """Whether a stack runs in this HOME now."""
    try:
        with (home / "up.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False

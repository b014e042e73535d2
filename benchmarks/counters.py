"""Redis's own counters of its work, read before and after a window, and what lies between two readings."""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

import redis


@dataclass(frozen=True, slots=True)
class Counters:
    """One reading of INFO: commands executed, reads from sockets, memory in use, calls by command."""

    commands: int
    reads: int
    used_bytes: int
    by_command: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Work:
    """What Redis did between two readings.

    `commands` are all it executed, also those inside scripts; `reads` the times it read from a socket, which is about
    the number of round trips; `kept_bytes` what its memory grew by.
    """

    commands: int
    reads: int
    kept_bytes: int
    by_command: Mapping[str, int]


def read_counters(client: redis.Redis) -> Counters:
    """One reading, in one command of its own."""
    told = client.info("everything")
    return Counters(
        commands=told["total_commands_processed"],
        reads=told["total_reads_processed"],
        used_bytes=told["used_memory"],
        by_command={
            name.removeprefix("cmdstat_"): row["calls"] for name, row in told.items() if name.startswith("cmdstat_")
        },
    )


def between(before: Counters, after: Counters) -> Work:
    """The work from `before` to `after`, of the same server."""
    grown = {name: count - before.by_command.get(name, 0) for name, count in after.by_command.items()}
    return Work(
        commands=after.commands - before.commands,
        reads=after.reads - before.reads,
        kept_bytes=after.used_bytes - before.used_bytes,
        by_command={name: count for name, count in grown.items() if count},
    )


def watch_sent_share(port: int, seconds: float) -> float | None:
    """The share of commands that clients sent, the rest being called by scripts: MONITOR for `seconds`.

    INFO counts both alike. MONITOR slows Redis down, so this belongs before a measured window, never into it.
    None when no command came.
    """
    seen = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as sock:
        sock.sendall(b"MONITOR\r\n")
        give_up_at = time.monotonic() + seconds
        while (left := give_up_at - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                data = sock.recv(262_144)
            except TimeoutError:
                break
            if not data:
                break
            seen += data
    return sent_share(bytes(seen))


def sent_share(monitored: bytes) -> float | None:
    """The share of MONITOR's lines that are not `[db lua]`; arguments cannot hold a line break there, it is escaped."""
    sources = [line.partition(b"]")[0] for line in monitored.split(b"\r\n")[1:-1] if line.startswith(b"+")]
    if not sources:
        return None
    return sum(not source.endswith(b" lua") for source in sources) / len(sources)

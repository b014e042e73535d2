"""The stack's own Redis: its files under HOME, and what is left of an earlier one. Starting it is the supervisor's."""

import contextlib
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import redis

from cli.ports import free_port, why_not_free
from cli.private_file import write_private
from cli.process import Process, ProcessSpec, StopOrder
from cli.readiness import Readiness
from cli.redis_server import find_server

_HOST = "127.0.0.1"
_LEFTOVER_S = 15.0


class RedisLeftOver(Exception):
    """An earlier embedded Redis of this HOME still runs and does not stop."""


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """Where the embedded Redis listens, with its password, and the folder of its data."""

    port: int
    password: str = field(repr=False)
    folder: Path

    @property
    def url(self) -> str:
        """Its address, with the password."""
        return f"redis://:{self.password}@{_HOST}:{self.port}/0"


def prepare(home: Path) -> EmbeddedRedis:
    """Choose port and password (an earlier run's, where they still serve) and write the files the server reads.

    Call it under the HOME's lock. Ends a server that an earlier stack left running on the same data.
    """
    folder = home / "redis"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    earlier = _noted(folder)
    if earlier is not None:
        _end_left_over(earlier)
    keep_port = earlier is not None and why_not_free(_HOST, earlier.port) is None
    chosen = EmbeddedRedis(
        port=earlier.port if earlier and keep_port else free_port(_HOST),
        password=earlier.password if earlier else secrets.token_urlsafe(32),
        folder=folder,
    )
    write_private(folder / "redis.conf", _server_configuration(chosen))
    write_private(folder / "url", chosen.url + "\n")
    return chosen


def redis_spec(server: EmbeddedRedis, environment: dict[str, str]) -> ProcessSpec:
    """The server's process; NoRedisServer where there is no program for it."""
    return ProcessSpec(
        name="redis",
        argv=(str(find_server()), str(server.folder / "redis.conf")),
        stop_order=StopOrder.REDIS,
        ready=redis_answers(server.url),
        grace_s=30.0,
        environment=environment,
    )


def redis_answers(url: str) -> Readiness:
    """Ready once it answers a PING: after it has read its data."""

    def check(_process: Process) -> bool:
        with _client(url) as client, contextlib.suppress(redis.RedisError):
            return bool(client.ping())
        return False

    return check


def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=2, decode_responses=True)


def _noted(folder: Path) -> EmbeddedRedis | None:
    try:
        parts = urlsplit((folder / "url").read_text().strip())
        if parts.port and parts.password:
            return EmbeddedRedis(port=parts.port, password=parts.password, folder=folder)
    except (OSError, ValueError):
        return None
    return None


def _end_left_over(earlier: EmbeddedRedis) -> None:
    """Two servers on one append-only file would ruin it; a copied HOME's note may point at another stack's server."""
    deadline = time.monotonic() + _LEFTOVER_S
    with _client(earlier.url) as client:
        while time.monotonic() < deadline:
            try:
                if Path(client.config_get("dir")["dir"]).resolve() != earlier.folder.resolve():
                    return
                client.shutdown(nosave=True)
            except redis.BusyLoadingError:
                time.sleep(0.1)
            except (redis.RedisError, KeyError):
                return
    raise RedisLeftOver(f"an earlier Redis of {earlier.folder} still listens on port {earlier.port}: stop it first")


def _server_configuration(server: EmbeddedRedis) -> str:
    folder = str(server.folder).replace("\\", "\\\\").replace('"', '\\"')
    return f"""\
bind {_HOST}
port {server.port}
requirepass {server.password}
dir "{folder}"
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
"""

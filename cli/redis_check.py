"""Whether a Redis is one the router can keep its promises on, and what its workers' checks of providers left there."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import redis

from cli.redis_server import MINIMUM_VERSION
from routing.check import Check


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """What a reachable Redis says of itself; None where it will not say (managed services hide their settings)."""

    version: str
    appendonly: str | None
    maxmemory_policy: str | None

    def problems(self) -> list[str]:
        """What is wrong with it for us, each with its remedy."""
        found = []
        if tuple(int(part) for part in self.version.split(".")[:2]) < MINIMUM_VERSION:
            wanted = ".".join(map(str, MINIMUM_VERSION))
            found.append(f"version {self.version} is too old: use {wanted} or newer")
        if self.appendonly == "no":
            found.append("appendonly is no, so a restart loses accepted jobs: set appendonly yes")
        if self.maxmemory_policy not in (None, "noeviction"):
            found.append(f"maxmemory-policy is {self.maxmemory_policy}, which drops jobs when full: set noeviction")
        return found


def read_facts(url: str, timeout_s: float = 2.0) -> RedisFacts:
    """Ask the Redis at `url`; redis.RedisError or ValueError where it cannot be asked."""
    with redis.Redis.from_url(
        url, socket_connect_timeout=timeout_s, socket_timeout=timeout_s, decode_responses=True
    ) as client:
        version = str(client.info("server").get("redis_version", "0.0"))
        return RedisFacts(version, _setting(client, "appendonly"), _setting(client, "maxmemory-policy"))


def read_checks(url: str, prefix: str, timeout_s: float = 2.0) -> dict[str, Check]:
    """The last check of each provider account; redis.RedisError or ValueError where Redis cannot be asked."""
    with redis.Redis.from_url(
        url, socket_connect_timeout=timeout_s, socket_timeout=timeout_s, decode_responses=True
    ) as client:
        read = {name: Check.parse(text) for name, text in client.hgetall(f"{prefix}checks").items()}
    return {name: check for name, check in read.items() if check is not None}


def redis_problem(url: str) -> str | None:
    """Why no stack can start on the Redis at `url`; None when it can."""
    try:
        facts = read_facts(url)
    except (redis.RedisError, ValueError, OSError) as error:
        return f"{shown(url)} cannot be used: {error}"
    too_old = [problem for problem in facts.problems() if problem.startswith("version")]
    return f"{shown(url)}: {too_old[0]}" if too_old else None


def shown(url: str) -> str:
    """The URL without user and password."""
    try:
        parts = urlsplit(url)
        place = f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else ""
    except ValueError:
        return "the given address"
    return f"{parts.scheme}://{place}{parts.path}"


def _setting(client: redis.Redis, name: str) -> str | None:
    try:
        value = client.config_get(name).get(name)
    except redis.ResponseError:
        return None
    return str(value) if value is not None else None

"""Looks up how everything stands: queues, jobs, workers, breakers, limits, Redis. A few round trips, none per job."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis

from routing.breaker import Breaker, BreakerState
from routing.job import PRIORITY_STEPS, ServiceTier
from routing.permits import Permits
from workers.metrics import metric
from workers.metrics.keeper import ALIVE_S
from workers.metrics.metric import Metric

_TIERS = {tier.priority: tier.value for tier in ServiceTier}
_OPEN = {BreakerState.OPEN: 1.0, BreakerState.FORCED_OPEN: 1.0, BreakerState.HALF_OPEN: 0.5}
# Between a queue's name and its priority step in kombu's names of lists; the first step has none.
_STEP = "\x06\x16"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a gauge."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


def gauges(client: "Redis", prefix: str, queues: Iterable[str]) -> Iterator[Sample]:
    """Every gauge there is something to say of; raises RedisError. `queues` are the names of all queues."""
    lists = [(queue, step, _list(prefix, queue, step)) for queue in queues for step in PRIORITY_STEPS]
    first = client.pipeline(transaction=False)
    for name in ("schedule", "batch_schedule", "outbox"):
        first.zcard(f"{prefix}{name}")
    for name in ("workers", "breakers", "permits", "batch_flight"):
        first.hgetall(f"{prefix}{name}")
    first.smembers(f"{prefix}parked")
    first.info("memory")
    first.time()
    for _, _, name in lists:
        first.llen(name)
        first.lindex(name, -1)
    unfinished, batches, outbox, workers, breakers, permits, flight, parked, memory, clock, *queued = first.execute()
    now = clock[0] + clock[1] / 1_000_000
    yield Sample(metric.UP, (), 1)
    yield Sample(metric.UNFINISHED, (), unfinished)
    yield Sample(metric.BATCHES, (), batches)
    yield Sample(metric.OUTBOX, (), outbox)
    yield Sample(metric.MEMORY, ("used",), memory["used_memory"])
    yield Sample(metric.MEMORY, ("bound",), memory["maxmemory"])
    yield from _workers(workers, now)
    yield from _breakers(breakers)
    yield from _limits(permits, now)
    yield from _lines(flight)
    heads = list(zip(lists, queued[::2], queued[1::2], strict=True))
    yield from _depths(client, prefix, heads, now)
    yield from _parked(client, prefix, sorted(name.decode() for name in parked))


def _list(prefix: str, queue: str, step: int) -> str:
    return f"{prefix}{queue}" + (f"{_STEP}{step}" if step else "")


def _workers(stored: Mapping[bytes, bytes], now: float) -> Iterator[Sample]:
    alive: dict[str, int] = {}
    running: dict[str, int] = {}
    for text in stored.values():
        heard, runs, *queues = text.decode().split(" ")
        if now - int(heard) <= ALIVE_S:
            for queue in queues:
                alive[queue] = alive.get(queue, 0) + 1
            # Jobs run in workers of one provider's queue.
            running[queues[0]] = running.get(queues[0], 0) + int(runs)
    for queue, count in sorted(alive.items()):
        yield Sample(metric.WORKERS, (queue,), count)
    for queue, count in sorted(running.items()):
        yield Sample(metric.RUNNING, (queue,), count)


def _breakers(stored: Mapping[bytes, bytes]) -> Iterator[Sample]:
    for name, text in sorted(stored.items()):
        breaker = Breaker.parse(text.decode(errors="replace"))
        if breaker is not None:
            yield Sample(metric.BREAKER, _place(name.decode()), _OPEN.get(breaker.state, 0.0))


def _limits(stored: Mapping[bytes, bytes], now: float) -> Iterator[Sample]:
    for name, text in sorted(stored.items()):
        permits = Permits.parse(text.decode(errors="replace"))
        for bucket in () if permits is None else permits.buckets:
            labels = (*_place(name.decode()), bucket.name)
            left = min(bucket.size, bucket.level + max(now - bucket.at_s, 0.0) * bucket.per_s)
            yield Sample(metric.LIMIT, labels, bucket.limit)
            yield Sample(metric.LEFT, labels, left)


def _lines(stored: Mapping[bytes, bytes]) -> Iterator[Sample]:
    counts: dict[str, int] = {}
    for name, count in stored.items():
        provider = name.decode().rpartition(" ")[2]
        counts[provider] = counts.get(provider, 0) + int(count)
    for provider, lines in sorted(counts.items()):
        yield Sample(metric.LINES, (provider,), lines)


def _depths(client: "Redis", prefix: str, heads: list[tuple[Any, int, bytes | None]], now: float) -> Iterator[Sample]:
    """How many pointers stand in each list, and how long the first of them does."""
    waiting = []
    for (queue, step, _), depth, pointer in heads:
        labels = (queue, _TIERS[step])
        yield Sample(metric.DEPTH, labels, depth)
        if pointer is not None and (job := _job_of(pointer)):
            waiting.append((labels, job))
    second = client.pipeline(transaction=False)
    for _, job in waiting:
        second.hget(f"{prefix}job:{job}", "queued")
    for (labels, _), queued in zip(waiting, second.execute() if waiting else (), strict=True):
        if queued is not None:
            yield Sample(metric.OLDEST, labels, max(now - int(float(queued)) / 1000, 0.0))


def _parked(client: "Redis", prefix: str, deployments: list[str]) -> Iterator[Sample]:
    step = client.pipeline(transaction=False)
    for name in deployments:
        step.zcard(f"{prefix}parked:{name}")
    for name, count in zip(deployments, step.execute() if deployments else (), strict=True):
        yield Sample(metric.PARKED, _place(name), count)


def _job_of(pointer: bytes) -> str | None:
    """The job a message points to; None where it is another kind of message."""
    try:
        job, _ = json.loads(json.loads(pointer)["body"])[0]
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return job if isinstance(job, str) else None


def _place(name: str) -> tuple[str, str]:
    """Provider and model of "provider/model", or of a provider alone."""
    provider, _, model = name.partition("/")
    return provider, model

"""The last hour by the minute, of each tenant: jobs that ended, how long they took, what they cost."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from redis import Redis

from workers.metrics.meter import OTHER, SEPARATOR, SUM, Increments
from workers.metrics.metric import Kind, Metric

# The tenant that stands for all of them. No tenant's id has such a character.
EVERYBODY = "*"
MINUTES = 60
# One hash holds so many minutes, and is kept until none of them is asked for.
_BLOCK_MINUTES = 10
_KEPT_S = (MINUTES + 2 * _BLOCK_MINUTES) * 60
_LABELS = ("tenant", "provider", "status")

# Counted as metrics are, but kept by the minute and shown by the console alone: tenants see their own.
ENDED = Metric(
    "history_ended_seconds",
    Kind.HISTOGRAM,
    "From a job's acceptance to its end by a worker.",
    _LABELS,
    (*(0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 20, 30, 60, 120, 300, 600),),
)
SPENT = Metric("history_cost_usd", Kind.COUNTER, "What calls cost.", ("tenant", "provider"))
_NAMES = (ENDED.name, SPENT.name)


@dataclass(frozen=True, slots=True)
class Minute:
    """What ended in one minute; `at_s` is its beginning in Unix seconds."""

    at_s: int
    # By status, and by provider.
    jobs: dict[str, int] = field(default_factory=dict)
    providers: dict[str, int] = field(default_factory=dict)
    cost_usd: dict[str, float] = field(default_factory=dict)
    # By the place of the upper bound among ENDED's.
    took: dict[int, int] = field(default_factory=dict)

    def quantile(self, share: float) -> float | None:
        """Seconds that `share` of the jobs took at most, between two bounds as if evenly spread; None without jobs."""
        total = sum(self.took.values())
        wanted, seen = share * total, 0.0
        for place, count in sorted(self.took.items()):
            if seen + count >= wanted:
                lower = ENDED.buckets[place - 1] if place else 0.0
                upper = ENDED.buckets[min(place, len(ENDED.buckets) - 1)]
                return lower + max(upper - lower, 0.0) * (wanted - seen) / count
            seen += count
        return None


def split(added: Increments) -> tuple[Increments, Increments]:
    """What goes to the metrics, and what goes to the history."""
    metrics = {name: fields for name, fields in added.items() if name not in _NAMES}
    return metrics, {name: fields for name, fields in added.items() if name in _NAMES}


def writes(prefix: str, added: Increments, now_s: float) -> Iterator[tuple[str, str, float]]:
    """Key, field and amount of each addition: one to the tenant's own hash and one to everybody's."""
    minute = int(now_s // 60)
    for name, fields in added.items():
        for series, amount in fields.items():
            tenant, _, rest = series.partition(SEPARATOR)
            told = SEPARATOR.join((str(minute), name, rest))
            # Series beyond the meter's bound are nobody's own.
            owners = (EVERYBODY,) if rest.startswith(OTHER + SEPARATOR) or rest == OTHER else (tenant, EVERYBODY)
            for owner in owners:
                yield _key(prefix, owner, minute // _BLOCK_MINUTES), told, amount


def keep_s() -> int:
    """How long a hash of the history lives after the last addition, in seconds."""
    return _KEPT_S


def read(client: "Redis", prefix: str, tenant: str, now_s: float) -> list[Minute]:
    """The last MINUTES minutes of a tenant, or of EVERYBODY, the present one last; raises RedisError."""
    last = int(now_s // 60)
    first = last - MINUTES + 1
    step = client.pipeline(transaction=False)
    for block in range(first // _BLOCK_MINUTES, last // _BLOCK_MINUTES + 1):
        step.hgetall(_key(prefix, tenant, block))
    return minutes(step.execute(), first, last)


def minutes(stored: Iterable[Mapping[bytes, bytes]], first: int, last: int) -> list[Minute]:
    """The minutes of hashes as they are stored; those in which nothing ended as well."""
    found = {number: Minute(number * 60) for number in range(first, last + 1)}
    for fields in stored:
        for name, amount in fields.items():
            number, *parts = name.decode(errors="replace").split(SEPARATOR)
            if number.isdigit() and (minute := found.get(int(number))) is not None:
                _add(minute, parts, float(amount))
    return list(found.values())


def _add(minute: Minute, parts: list[str], amount: float) -> None:
    match parts:
        case [ENDED.name, provider, status, bucket] if bucket != SUM:
            count, place = round(amount), int(bucket)
            minute.jobs[status] = minute.jobs.get(status, 0) + count
            minute.providers[provider] = minute.providers.get(provider, 0) + count
            minute.took[place] = minute.took.get(place, 0) + count
        case [SPENT.name, provider]:
            minute.cost_usd[provider] = minute.cost_usd.get(provider, 0.0) + amount


def _key(prefix: str, tenant: str, block: int) -> str:
    return f"{prefix}history:{tenant}:{block}"

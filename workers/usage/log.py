"""What tenants have used, day by day, as the ledger has counted it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workers.ledger.steps import Steps
from workers.usage.figures import Figures, Series

# Days of tenants read in one step, and tenants listed in one.
_STEP = 10
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """A series of a tenant's day. What is not known is None; beyond a thousand a day, models are one, "*"."""

    tenant: str
    # YYYY-MM-DD, in UTC.
    day: str
    key: str | None
    provider: str | None
    model: str | None
    figures: Figures


class UsageLog:
    """Each step is one (shared) round trip; StoreUnavailable where Redis is away."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def entries(self, days: Sequence[tuple[str, str]]) -> Iterator[Entry]:
        """Every series of these (tenant, day), in no order."""
        for start in range(0, len(days), _STEP):
            part = days[start : start + _STEP]
            reply = self._steps.run("usage_read", *(word for pair in part for word in pair))
            for (tenant, day), flat in zip(part, reply, strict=True):
                for series, figures in series_of(flat).items():
                    provider, _, model = series.deployment.partition("/")
                    yield Entry(tenant, day, _known(series.key), _known(provider), _known(model), figures)

    def tenants(self, day: str) -> Iterator[str]:
        """Those that have used something on a day, in no order; one may come twice."""
        cursor: bytes | int = 0
        while True:
            cursor, names = self._steps.command(
                "SSCAN", f"{self._steps.prefix}usage_tenants:{day}", cursor, "COUNT", _PAGE
            )
            yield from (name.decode() for name in names)
            if int(cursor) == 0:
                return


def fields_of(flat: Sequence[bytes] | Mapping[bytes, bytes]) -> dict[str, str]:
    """The fields of a hash, as a script or a command answers with it."""
    pairs = flat.items() if isinstance(flat, Mapping) else zip(flat[::2], flat[1::2], strict=True)
    return {name.decode(): value.decode() for name, value in pairs}


def series_of(flat: Sequence[bytes] | Mapping[bytes, bytes]) -> dict[Series, Figures]:
    """The series of an account's hash."""
    named = ((Series.parse(field), value) for field, value in fields_of(flat).items())
    return {series: Figures.parse(value) for series, value in named if series is not None}


def _known(word: str) -> str | None:
    return None if word in ("", "-") else word

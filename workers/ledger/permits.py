"""Limits on their way into the ledger's scripts: as configured, and as an answer told them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from config.configuration import Configuration
from config.provider import ProviderConfig
from routing.permits import Gauge

MINUTE_MS, DAY_MS = 60_000, 86_400_000


def configured_words(providers: Iterable[ProviderConfig]) -> str:
    """The configured limits as permit.lua reads them; empty where there are none.

    They are the vendor's: the sandbox, where it stands in, is not held to them. They are those of one key; each further
    key is taken to be of an account with as much.
    """
    accounts = []
    for provider in providers:
        if provider.sandboxed:
            continue
        limits = provider.limits
        known: Mapping[str, tuple[int | None, int]] = {
            "rpm": (limits.requests_per_minute, MINUTE_MS),
            "rpd": (limits.requests_per_day, DAY_MS),
            "tpm": (limits.tokens_per_minute, MINUTE_MS),
        }
        keys = max(len(provider.keys), 1)
        words = [f"{name} {limit * keys} {period}" for name, (limit, period) in known.items() if limit is not None]
        if words:
            accounts.append(f";{provider.name} {' '.join(words)}")
    return "".join(accounts)


class ConfiguredLimits:
    """The configured limits' words, made again when the configuration was reloaded."""

    def __init__(self, configuration: Callable[[], Configuration]) -> None:
        self._configuration = configuration
        self._made_of: Configuration | None = None
        self._words = ""

    def words(self) -> str:
        """As they are now."""
        current = self._configuration()
        if current is not self._made_of:
            self._made_of, self._words = current, configured_words(current.providers.values())
        return self._words


def learnt_words(deployment: str, gauges: Sequence[Gauge], gate_ms: int = 0) -> str:
    """What an answer told of a deployment: its gauges, and for how long nothing must be sent."""
    told = [f"{gauge.name} {gauge.limit} {gauge.period_ms} {gauge.remaining}" for gauge in gauges]
    if not gate_ms:
        # Headers tell of each kind of limit once. What was taken for one by the day may turn out to be by the minute.
        names = {gauge.name for gauge in gauges}
        told += [f"{other} 0 {MINUTE_MS} 0" for name in names if (other := _counterpart(name)) not in names]
    return " ".join([deployment, str(gate_ms), *told])


def _counterpart(name: str) -> str:
    return name[:-2] + ("pd" if name.endswith("pm") else "pm")

"""How many lines each tenant may have in flight at a provider: weighted fair shares of a bounded window. Pure."""

from collections.abc import Mapping


def share(tenant: str, weights: Mapping[str, int], window: int) -> int:
    """The tenant's part of `window` among all that have lines to run, by their weights; at least one."""
    return max(1, window * weights[tenant] // sum(weights.values()))


class Rooms:
    """How many more lines may be sent to each provider now, by tenant. Counts what is given away."""

    def __init__(
        self, flight: Mapping[tuple[str, str], int], windows: Mapping[str, int], weights: Mapping[str, int]
    ) -> None:
        """`flight` is what is in flight by (tenant, provider), `weights` those of the tenants with lines to run."""
        self._windows = windows
        self._weights = weights
        self._flight = dict(flight)
        self._busy: dict[str, int] = {}
        for (_, provider), count in flight.items():
            self._busy[provider] = self._busy.get(provider, 0) + max(count, 0)

    def at(self, tenant: str, provider: str) -> int:
        """How many more lines of `tenant` the provider may be sent."""
        window = self._windows.get(provider, 0)
        own = share(tenant, self._weights, window) - self._flight.get((tenant, provider), 0)
        return min(own, window - self._busy.get(provider, 0))

    def take(self, tenant: str, provider: str) -> None:
        """One more line of `tenant` is on its way to the provider."""
        self._flight[tenant, provider] = self._flight.get((tenant, provider), 0) + 1
        self._busy[provider] = self._busy.get(provider, 0) + 1

    def load(self, tenant: str) -> float:
        """How much the tenant has in flight for its weight: who has least goes first."""
        count = sum(count for (name, _), count in self._flight.items() if name == tenant)
        return count / self._weights[tenant]

"""The provider accounts this process can call: adapters and connections, made once per configured row."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from config.configuration import Configuration, ConfigurationError
from config.provider import ProviderConfig, ProviderKey
from workers.key_gauges import KeyGauges
from workers.key_rotation import KeyRotation
from workers.limits import LimitReader
from workers.provider_http import ProviderHttp
from workers.providers.base import Account, Provider
from workers.providers.registry import adapter

log = structlog.get_logger()

# The sandbox takes any key; a real one must never be sent to it.
SANDBOX_KEY = ProviderKey("", "sandbox")


@dataclass(frozen=True, slots=True)
class Upstream:
    """One key of an account, ready to be called with. `key` is what it is called in logs, its variable."""

    config: ProviderConfig
    adapter: Provider
    http: ProviderHttp
    limits: LimitReader
    key: str = ""


# An account's keys; a server that asks for none has one upstream as well.
Keys = KeyRotation[Upstream]


class Upstreams:
    """Accounts by provider name, made on first use and again when the row or a key has changed."""

    def __init__(self, configuration: Callable[[], Configuration]) -> None:
        self._configuration = configuration
        self._made: dict[str, tuple[ProviderConfig, Keys]] = {}
        self._http: dict[str, tuple[int, ProviderHttp]] = {}

    def row(self, provider: str) -> ProviderConfig | None:
        """The row of `provider`; None when the configuration no longer has anybody call it."""
        config = self._configuration().providers.get(provider)
        return config if config is not None and config.is_called else None

    def http(self, config: ProviderConfig) -> ProviderHttp:
        """The connections to a provider, with whosever key: they are kept by address."""
        made = self._http.get(config.name)
        if made is None or made[0] != config.concurrency:
            made = self._http[config.name] = (config.concurrency, ProviderHttp(config.concurrency))
        return made[1]

    def get(self, provider: str) -> Keys | None:
        """The keys of `provider`, ready to be called with; None when the configuration no longer has it usable.

        ConfigurationError where a key or a header cannot be sent.
        """
        config = self._configuration().providers.get(provider)
        if config is None or not config.usable:
            return None
        made = self._made.get(provider)
        # A reload makes every row anew; one that says the same keeps its connections.
        if made is None or (made[0] is not config and made[0] != config):
            made = self._made[provider] = (config, _make(config, self.http(config)))
        return made[1]


def _make(config: ProviderConfig, http: ProviderHttp) -> Keys:
    keys: tuple[ProviderKey | None, ...] = (SANDBOX_KEY,) if config.sandboxed else config.keys or (None,)
    adapters = _adapters(config, keys)
    one = next(iter(adapters.values()))
    limits = LimitReader(one, together=KeyGauges(list(adapters)) if len(adapters) > 1 else None)
    return KeyRotation(
        config.name, [Upstream(config, each, http, limits, variable) for variable, each in adapters.items()]
    )


def _adapters(config: ProviderConfig, keys: tuple[ProviderKey | None, ...]) -> dict[str, Provider]:
    """An adapter for each key, by its variable; ConfigurationError where there is none that can be sent."""
    made: dict[str, Provider] = {}
    problems: list[tuple[str, ConfigurationError]] = []
    for key in keys:
        secret, variable = (None, "") if key is None else (key.secret, key.variable)
        try:
            made[variable] = adapter(Account(config.name, config.endpoint, secret, config.headers), config.type)
        except ConfigurationError as error:
            problems.append((variable, error))
    if not made:
        raise problems[0][1]
    for variable, problem in problems:
        log.error("provider.key_unusable", provider=config.name, key=variable, error=str(problem))
    return made

"""The provider accounts this process can call: adapter and connections, made once per configured row."""

from collections.abc import Callable
from dataclasses import dataclass

from config.configuration import Configuration
from config.provider import ProviderConfig
from workers.limits import LimitReader
from workers.provider_http import ProviderHttp
from workers.providers.base import Account, Provider
from workers.providers.registry import adapter

# The sandbox takes any key; a real one must never be sent to it.
SANDBOX_KEY = "sandbox"


@dataclass(frozen=True, slots=True)
class Upstream:
    """One account, ready to be called."""

    config: ProviderConfig
    adapter: Provider
    http: ProviderHttp
    limits: LimitReader


class Upstreams:
    """Upstreams by provider name, made on first use and again when the row has changed."""

    def __init__(self, configuration: Callable[[], Configuration]) -> None:
        self._configuration = configuration
        self._made: dict[str, Upstream] = {}

    def get(self, provider: str) -> Upstream | None:
        """The upstream of `provider`; None when the configuration no longer has it usable."""
        config = self._configuration().providers.get(provider)
        if config is None or not config.usable:
            return None
        made = self._made.get(provider)
        # A reload makes every row anew; one that says the same keeps its connections.
        if made is None or (made.config is not config and made.config != config):
            made = self._made[provider] = _make(config)
        return made


def _make(config: ProviderConfig) -> Upstream:
    key = SANDBOX_KEY if config.sandboxed else next((key.secret for key in config.keys), None)
    account = Account(config.name, config.endpoint, key, config.headers)
    translator = adapter(account, config.type)
    return Upstream(config, translator, ProviderHttp(config.concurrency), LimitReader(translator))

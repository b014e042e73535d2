"""The keys of the shipped tenants: everybody knows them, so they work only where nothing is at stake."""

from config.configuration import Configuration
from config.settings import Settings

DEMO_KEYS = frozenset({"ak-demo123", "ak-enterprise-demo"})


def demo_keys_work(configuration: Configuration, settings: Settings) -> bool:
    """Whether they do: in the sandbox, whose answers are made up, and where the operator says so."""
    return configuration.sandbox or settings.allow_demo_key

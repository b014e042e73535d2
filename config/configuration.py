"""The whole configuration as one frozen value, as the loader read it from one folder."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.policy import PolicyConfig
from config.provider import ProviderConfig
from config.tenant import Tenant


class ConfigurationError(Exception):
    """A file of the configuration folder is broken: says which file, where in it and what was expected."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the operator told us. Replaced whole on reload, never changed in place."""

    providers: Mapping[str, ProviderConfig]
    # What a caller may ask for -> equivalent deployments, each "provider/model".
    aliases: Mapping[str, tuple[str, ...]]
    policies: Mapping[str, PolicyConfig]
    tenants: Mapping[str, Tenant]
    # The sandbox stands in for every enabled provider, because none of them has its key.
    sandbox: bool

"""The whole configuration as one frozen value, as the loader read it from one folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from config.breaker import BreakerConfig
from config.policy import PolicyConfig
from config.provider import ProviderConfig
from config.retry import RetryConfig
from config.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: in which file, where in it (dotted, empty for the whole file) and what was expected."""

    file: str
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.path, self.message) if part)


class ConfigurationError(Exception):
    """The configuration cannot be used; the message says where and what was expected, and quotes no key."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, folder: str, problems: Sequence[Problem]) -> "ConfigurationError":
        """The error that lists every problem of a folder, a line each."""
        lines = "".join(f"\n  {problem}" for problem in problems)
        return cls(f"the configuration in {folder} cannot be used:{lines}", problems)


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
    breaker: BreakerConfig = field(default_factory=BreakerConfig)
    retry: RetryConfig = field(default_factory=RetryConfig)

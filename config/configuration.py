"""The whole configuration as one frozen value, as the loader read it from one folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.policy import PolicyConfig
from config.provider import ProviderConfig
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
    """Files of the configuration folder are broken: lists every problem found. Never quotes a key."""

    def __init__(self, folder: str, problems: Sequence[Problem]) -> None:
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"the configuration in {folder} cannot be used:{lines}")
        self.problems = tuple(problems)


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

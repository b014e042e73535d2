"""A key that a tenant brought for a provider, as processes know of it. What is stored has its secret elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OwnKey:
    """One tenant's key for one provider."""

    # Of one that is stored: the number of the change that stored it. 0: it is in a variable that its file names.
    version: int = 0
    variable: str = ""
    # What is in the variable; None where it is stored.
    secret: str | None = field(default=None, repr=False)
    # Why it cannot be used, in words for an operator; None where it can.
    unusable_reason: str | None = None
    # Whether the account that all tenants share may be called instead when the provider refuses this key.
    fallback_to_shared: bool = False


# By the provider's name.
OwnKeys = Mapping[str, OwnKey]

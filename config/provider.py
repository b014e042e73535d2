"""One row of providers.json: an API account at a vendor, as the operator configured it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

# A model's name travels in URLs, logs and queue names: visible ASCII without quotes, and no `..` to climb a path with.
MODEL_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9@~][A-Za-z0-9._:/@+~=-]{0,199}")

# What a row's `type` may be; each is an adapter in workers/providers.
DIALECTS = ("openai", "groq", "google-gemini", "hugging-face", "anthropic")
# Those that have a Responses endpoint; whether an account has one is its row's to say.
RESPONDING_DIALECTS = ("openai", "groq", "hugging-face")


@dataclass(frozen=True, slots=True)
class PriceTier:
    """What all tokens of a request cost once its prompt is longer than `above_tokens`; USD per million tokens."""

    above_tokens: int
    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens; None where it is not known (never taken for free)."""

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    source: str = "config"
    # Dearer rates for long prompts, shortest first.
    tiers: tuple[PriceTier, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderModel:
    """What a provider's row says of one of its models; None leaves it to the price library or to the row."""

    price: Price | None = None
    context_length: int | None = None
    capabilities: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ProviderLimits:
    """Ceilings the operator set for an account; None: none known."""

    requests_per_minute: int | None = None
    requests_per_day: int | None = None
    tokens_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """One of an account's keys. `variable` is what it is called in logs and errors, in its place."""

    variable: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """An API account at a vendor. `type` names the dialect (an adapter in workers/providers)."""

    name: str
    type: str
    endpoint: str
    enabled: bool = True
    # The variable that holds the account's key; None: none is known, or none is needed (`keyless`).
    api_key_env: str | None = None
    # Variables of further keys, each taken to be of an account with limits of its own; used in turn with the first.
    api_key_envs: tuple[str, ...] = ()
    # The row says `"api_key_env": null`: a server that asks for no key, and so is real without one.
    keyless: bool = False
    capabilities: frozenset[str] = frozenset({"chat"})
    limits: ProviderLimits = field(default_factory=ProviderLimits)
    models: Mapping[str, ProviderModel] = field(default_factory=dict)
    # How many calls one worker process has under way at once.
    concurrency: int = 100
    # One call may take this long, from its first byte out to its last byte in.
    timeout_s: float = 120.0
    headers: Mapping[str, str] = field(default_factory=dict)
    # Whether the vendor keeps or trains on what it is sent, as the operator knows it; None: the row does not say.
    collects_data: bool | None = None
    # Resolved when the configuration is loaded, never from the file: the sandbox stands in for this account.
    sandboxed: bool = False
    # Resolved when the configuration is loaded: the keys that are there, each once. The sandbox is given none.
    keys: tuple[ProviderKey, ...] = field(default=(), repr=False)
    # Resolved when the configuration is loaded: enabled, and a key of its own (or the sandbox) is there.
    usable: bool = False
    # Resolved when the configuration is loaded: enabled, real, and some tenant may have a key of its own for it.
    takes_own_keys: bool = False
    # Why it is not usable, in words for an operator; None where it is.
    unusable_reason: str | None = None

    @property
    def is_called(self) -> bool:
        """Whether anybody's calls may go to it, and so a worker serves it."""
        return self.usable or self.takes_own_keys

    @property
    def key_variables(self) -> tuple[str, ...]:
        """The variables that its keys are looked for in, in order."""
        first = () if self.api_key_env is None else (self.api_key_env,)
        return tuple(dict.fromkeys((*first, *self.api_key_envs)))

    def capabilities_of(self, model: str) -> frozenset[str]:
        """What `model` can: its own capabilities where its row states any, else the account's."""
        row = self.models.get(model)
        return self.capabilities if row is None or row.capabilities is None else row.capabilities

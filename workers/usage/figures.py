"""What was used: the figures that are counted, and whose they are. No I/O."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over jobs, in the order in which usage.lua keeps them."""

    # Answered; failed or expired; cancelled. A job counts when it ends.
    requests: int = 0
    failed_requests: int = 0
    cancelled_requests: int = 0
    # Of answers, and of calls in vain as far as anybody knows.
    prompt_tokens: int = 0
    completion_tokens: int = 0
    # Within those: prompt tokens that were read from a cache, completion tokens of thoughts.
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_microusd: int = 0

    @classmethod
    def parse(cls, text: str) -> "Figures":
        """Read the words of a series; what cannot be read is nothing."""
        try:
            return cls(*map(int, text.split(" ")))
        except (ValueError, TypeError):
            return cls()

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(one + more for one, more in zip(self.words(), other.words(), strict=True)))

    def __sub__(self, other: "Figures") -> "Figures":
        return Figures(*(one - less for one, less in zip(self.words(), other.words(), strict=True)))

    def words(self) -> tuple[int, ...]:
        """The numbers in their order."""
        return astuple(self)

    def as_object(self) -> dict[str, int | float]:
        """The figures by their names, the cost in dollars as well."""
        return {**self.named(), "cost_usd": round(self.cost_microusd / 1e6, 6)}

    def named(self) -> dict[str, int]:
        """The numbers by their names."""
        return dict(zip(NAMES, self.words(), strict=True))


NAMES = tuple(field.name for field in fields(Figures))
# What the total of a day has, in usage.lua's order.
TOTALLED = ("requests", "prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens", "cost_microusd")


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """Whose figures they are, within a tenant and day: a key's id and a deployment's; "-" where one is not known."""

    key: str
    deployment: str

    @classmethod
    def parse(cls, field: str) -> "Series | None":
        """Read a field's name; None where it names no series."""
        key, _, deployment = field.partition(" ")
        return cls(key, deployment) if deployment else None

    @property
    def name(self) -> str:
        """The field's name."""
        return f"{self.key} {self.deployment}"


def total(figures: Sequence[Figures]) -> Figures:
    """The sum."""
    return Figures(*map(sum, zip(*(each.words() for each in figures), strict=True))) if figures else Figures()

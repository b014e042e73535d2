"""How the limits of a tenant stand, as the ledger tells it with each job that it accepts or refuses."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """One limit: what may be used, how much of it is left, and the ms until all of it is."""

    limit: int
    remaining: int
    reset_ms: int

    @classmethod
    def parse(cls, words: bytes) -> "Standing | None":
        """As reserve.lua tells it; None where there is no limit."""
        return cls(*map(int, words.split())) if words else None


@dataclass(frozen=True, slots=True)
class Headroom:
    """The limits of which least is left; None where there is none of the kind."""

    requests: Standing | None = None
    tokens: Standing | None = None

    @classmethod
    def parse(cls, requests: bytes, tokens: bytes) -> "Headroom":
        """As reserve.lua tells it."""
        return cls(Standing.parse(requests), Standing.parse(tokens))


@dataclass(frozen=True, slots=True)
class Refused:
    """A limit of the tenant's or the key's has no room for the request: nothing was written."""

    # Its name, as in `quotas`; budgets are told in micro-dollars.
    name: str
    limit: int
    used: int
    # Until the same request fits if nobody else comes; None: it never will.
    wait_s: float | None
    headroom: Headroom
    # Whose it is: "tenant:ID" or "key:ID".
    scope: str = ""
    # Of what is used of a budget, the part that is held for jobs under way.
    held: int = 0

    @classmethod
    def parse(
        cls, requests: bytes, tokens: bytes, name: bytes, limit: int, used: int, wait_ms: int, scope: bytes, held: int
    ) -> "Refused":
        """As submit.lua tells it."""
        wait_s = None if wait_ms < 0 else wait_ms / 1000
        return cls(name.decode(), limit, used, wait_s, Headroom.parse(requests, tokens), scope.decode(), held)

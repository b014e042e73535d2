"""How a provider is to behave: latency, pace, faults, limits. Values and their checks; nothing is enforced here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

_TEN_MINUTES_MS = 600_000


class InvalidBehaviour(ValueError):
    """A behaviour that cannot be understood; `field` names what is wrong in it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Fault(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    RESET = "reset"
    STALL = "stall"
    CUT = "cut"
    MALFORMED = "malformed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings that are enforced per provider and key; None: none."""

    requests_per_minute: int | None = None
    requests_per_day: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One way to behave. Only the fields named in `given` were asked for; the others are the defaults."""

    latency_ms: float = 0.0
    # Adds up to this much, evenly spread.
    latency_jitter_ms: float = 0.0
    # Paces a stream, and lengthens an answer in one piece as much; None: at once.
    tokens_per_s: float | None = None
    fault: Fault | None = None
    status: int | None = None
    retry_after: float | None = None
    stall_s: float = 600.0
    probability: float = 1.0
    # The fault ends after it struck this often; None: never.
    times: int | None = None
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    text: str | None = None
    # What the model thinks before it answers, where the vendor shows it.
    reasoning: str | None = None
    # The model refuses to answer, with these words where the vendor has a place for them.
    refusal: str | None = None
    # Longer prompts (tokens) are refused in the vendor's words.
    context_length: int | None = None
    limits: Limits | None = None
    given: frozenset[str] = frozenset()

    def over(self, lower: "Behaviour") -> "Behaviour":
        """Lay this behaviour over a more general one. A fault comes with all its own particulars."""
        kept = lower.given - self.given
        if "fault" in self.given:
            kept -= FAULT_FIELDS
        given = self.given | kept
        return replace(self, **{name: getattr(lower, name) for name in kept}, given=given)

    def shown(self) -> dict[str, Any]:
        """The fields that were given, as JSON."""
        values = {name: getattr(self, name) for name in sorted(self.given)}
        limits = values.get("limits")
        if limits is not None:
            values["limits"] = {f.name: v for f in fields(Limits) if (v := getattr(limits, f.name)) is not None}
        return values


FAULT_FIELDS = frozenset({"fault", "status", "retry_after", "stall_s", "probability", "times"})
DEFAULT = Behaviour()


def parse(value: object) -> Behaviour:
    """Check a behaviour that came as JSON. Raises InvalidBehaviour; null gives a field its default."""
    given = _checked(value, _FIELDS, where="")
    behaviour = Behaviour(**{name: v for name, v in given.items() if v is not None}, given=frozenset(given))
    if behaviour.fault is Fault.STATUS and behaviour.status is None:
        raise InvalidBehaviour("status", 'fault "status" needs status, an integer from 400 to 599')
    if behaviour.fault not in (Fault.STATUS, Fault.ERROR) and behaviour.status is not None:
        raise InvalidBehaviour("status", 'status goes with fault "status" or "error"')
    return behaviour


def _checked(value: object, checks: Mapping[str, "Check"], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidBehaviour(where.rstrip(".") or "behaviour", f"{where.rstrip('.') or 'a behaviour'} is an object")
    for name in value:
        if name not in checks:
            allowed = ", ".join(sorted(checks))
            raise InvalidBehaviour(f"{where}{name}", f"unknown field {where}{name}; allowed: {allowed}")
    return {name: None if v is None else checks[name](f"{where}{name}", v) for name, v in value.items()}


Check = Callable[[str, Any], Any]


def _number(low: float, high: float) -> Check:
    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise InvalidBehaviour(name, f"{name} is a number from {low:g} to {high:g}")
        return float(value)

    return check


def _integer(low: int, high: int) -> Check:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidBehaviour(name, f"{name} is an integer from {low} to {high}")
        return value

    return check


def _fault(name: str, value: Any) -> Fault:
    try:
        return Fault(value)
    except ValueError:
        allowed = ", ".join(Fault)
        raise InvalidBehaviour(name, f"{name} is one of {allowed}") from None


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidBehaviour(name, f"{name} is a string")
    return value


def _limits(name: str, value: Any) -> Limits:
    return Limits(**_checked(value, _LIMITS, where=f"{name}."))


_MANY = 10**12
_LIMITS: dict[str, Check] = {f.name: _integer(1, _MANY) for f in fields(Limits)}
_FIELDS: dict[str, Check] = {
    "latency_ms": _number(0, _TEN_MINUTES_MS),
    "latency_jitter_ms": _number(0, _TEN_MINUTES_MS),
    "tokens_per_s": _number(0.01, 1_000_000),
    "fault": _fault,
    "status": _integer(400, 599),
    "retry_after": _number(0, 86_400),
    "stall_s": _number(0, 3600),
    "probability": _number(0, 1),
    "times": _integer(0, 1_000_000_000),
    "reasoning_tokens": _integer(0, 1_000_000),
    "cached_tokens": _integer(0, _MANY),
    "text": _text,
    "reasoning": _text,
    "refusal": _text,
    "context_length": _integer(1, _MANY),
    "limits": _limits,
}

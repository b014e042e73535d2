"""A page of a list, as OpenAI's API asks for it and answers it: `limit`, `order`, `after`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import request

from api.openapi.operation import Parameter
from api.openapi.shape import Shape, flag, listing, maybe, record, text, word
from routing.errors import InvalidRequest

MOST, USUAL = 100, 20
_ORDERS = ("asc", "desc")

LIMIT = Parameter(
    "limit", "query", f"How many, {USUAL} if left out.", {"type": "integer", "minimum": 1, "maximum": MOST}
)
ORDER = Parameter("order", "query", "The newest first, `desc`, if left out.", word(_ORDERS))


@dataclass(frozen=True, slots=True)
class PageAsked:
    """How many are wanted, and in which order."""

    limit: int
    order: Literal["asc", "desc"]

    @classmethod
    def of_request(cls) -> "PageAsked":
        """As the query says; InvalidRequest names what is wrong with it."""
        limit = limit_asked()
        match request.args.get("order", "desc"):
            case "desc":
                return cls(limit, "desc")
            case "asc":
                return cls(limit, "asc")
        raise InvalidRequest('order: must be "asc" or "desc"', param="order")


def limit_asked() -> int:
    """How many the query wants; InvalidRequest for what is no such number."""
    given = request.args.get("limit", str(USUAL))
    limit = int(given) if given.isascii() and given.isdigit() and len(given) < 5 else 0
    if not 1 <= limit <= MOST:
        raise InvalidRequest(f"limit: must be a whole number from 1 to {MOST}", param="limit")
    return limit


def as_list(entries: Sequence[Mapping[str, Any]], last: str | None, *, more: bool) -> dict[str, Any]:
    """A page in OpenAI's form; the next one begins after `last`."""
    first = entries[0]["id"] if entries else None
    return {"object": "list", "data": list(entries), "first_id": first, "last_id": last, "has_more": more}


def list_of(name: str, entry: Shape, about: str) -> Shape:
    """A page of such entries."""
    return Shape(
        name,
        record(
            about,
            {
                "object": word(["list"]),
                "data": listing(entry),
                "first_id": maybe(text()),
                "last_id": maybe(text("What the next page begins after.")),
                "has_more": flag(),
            },
        ),
    )

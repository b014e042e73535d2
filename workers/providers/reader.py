"""Reads of foreign JSON that cannot fail: each returns the asked-for type, empty where the vendor sent another."""

import json
from typing import Any

from routing.errors import MalformedAnswer
from workers.reading import mapping, objects, text

__all__ = ["MAX_COUNT", "count", "items", "json_text", "mapping", "objects", "printable", "text"]

# The largest integer every JSON reader holds exactly (RFC 8259, section 6).
MAX_COUNT = 2**53 - 1


def items(value: Any) -> list[Any]:
    """`value` where it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def count(value: Any) -> int:
    """A count of tokens: `value` where it is a whole number from 0 to 2^53 - 1, else 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    if not 0 <= value <= MAX_COUNT:
        return 0
    return int(value)


def printable(value: Any, limit: int = 2000) -> str:
    """A vendor's text for a message of ours: a string of at most `limit` characters that UTF-8 can hold."""
    return text(value)[:limit].encode("utf-8", "replace").decode("utf-8").strip()


def json_text(value: Any) -> str:
    """`value`, read from JSON, as JSON again; MalformedAnswer where it is nested too deep."""
    try:
        return json.dumps(value, separators=(",", ":"))
    except RecursionError as error:
        raise MalformedAnswer("the answer is nested too deep") from error

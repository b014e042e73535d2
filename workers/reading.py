"""Reads of JSON that cannot fail: each returns the asked-for type, empty where it is another."""

from typing import Any


def mapping(value: Any) -> dict[str, Any]:
    """`value` where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a JSON array; anything else in it is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """`value` where it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int:
    """`value` where it is a whole number from 0, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def joined(old: Any, new: Any) -> Any:
    """What two deltas say together: objects by their names, lists one after the other, of anything else the last."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{name: joined(old.get(name), value) for name, value in new.items()}}
    return old + new if isinstance(old, list) and isinstance(new, list) else new

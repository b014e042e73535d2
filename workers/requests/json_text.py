"""JSON that means one thing and can be sent on: no name twice, no NaN, no NUL, no lone surrogate, no deep nest."""

import json
import math
from typing import Any, NoReturn

from routing.errors import InvalidRequest

# Deeper than any request there is, and far from where a parser further down gives up.
MAX_DEPTH = 200


def parse_json_object(raw: bytes) -> dict[str, Any]:
    """`raw` as a JSON object; InvalidRequest says what is wrong with it."""
    if not raw.strip():
        raise InvalidRequest("the request body is empty; a JSON object is needed")
    try:
        body = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite
        )
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"the request body is not UTF-8 (byte {error.start})") from None
    except RecursionError:
        raise InvalidRequest("the request body is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            f"the request body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from None
    except ValueError as error:
        raise InvalidRequest(f"the request body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise InvalidRequest("the request body must be a JSON object")
    # Nothing can be nested deeper than it has brackets, so most bodies need no closer look.
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _refuse_depth(body)
    # Only an escape can bring a NUL or a surrogate into valid UTF-8, so most bodies need no second look.
    if b"\\u" in raw:
        _refuse_unstorable(body, "")
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """What was checked in front of us must be what we read: two readers differ in which of two they take."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        shown = twice[:80].encode("utf-8", "replace").decode()
        raise InvalidRequest(f"the request body has {shown!r} twice in one object", param=shown)
    return found


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _refuse_depth(body: dict[str, Any]) -> None:
    level: list[Any] = [body]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value)
            if isinstance(item, (dict, list))
        ]
        if not level:
            return
    raise InvalidRequest(f"the request body is nested deeper than {MAX_DEPTH} levels")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _refuse_unstorable(value: Any, path: str) -> None:
    """Refuse text that other systems choke on; `path` is where in the body it stands."""
    if isinstance(value, str):
        _refuse_unstorable_text(value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_unstorable(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_unstorable_text(name, path)
            _refuse_unstorable(item, f"{path}.{name}".lstrip("."))


def _refuse_unstorable_text(text: str, path: str) -> None:
    if "\0" in text:
        raise InvalidRequest("text must not hold a NUL character", param=path or None)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidRequest("text must not hold half of a surrogate pair", param=path or None) from None

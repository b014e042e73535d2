"""Reads one JSON object from one file, strictly. Knows nothing of what the object should hold."""

import json
from pathlib import Path
from typing import Any


class JsonFileError(ValueError):
    """The file is missing, unreadable, or not one strict JSON object; the message says which."""


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in `path`, without keys that begin with `_` or `$` (comments).

    Raises JsonFileError where the file cannot be read, is not UTF-8, is not JSON (RFC 8259: no NaN, no Infinity),
    gives a key twice, or is not an object at the top.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise JsonFileError("the file is missing") from None
    except UnicodeDecodeError as error:
        raise JsonFileError(f"expected UTF-8 text; byte {error.start} is not") from None
    except OSError as error:
        raise JsonFileError(f"the file cannot be read ({error.strerror or error})") from None
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise JsonFileError(f"expected JSON; line {error.lineno} column {error.colno}: {error.msg}") from None
    except JsonFileError:
        raise
    except ValueError as error:
        # A number of thousands of digits, which json itself does not turn into its own error.
        raise JsonFileError(f"expected JSON; {error}") from None
    except RecursionError:
        raise JsonFileError("expected JSON; this is nested too deeply") from None
    if not isinstance(value, dict):
        raise JsonFileError("expected a JSON object")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key.startswith(("_", "$")):
            continue
        if key in value:
            raise JsonFileError(f"the key {key!r} is given twice in one object")
        value[key] = item
    return value


def _no_constant(name: str) -> Any:
    raise JsonFileError(f"expected a number; {name} is not JSON")

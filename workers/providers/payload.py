"""The JSON bytes of a call's body."""

import json
from collections.abc import Mapping
from typing import Any

from routing.errors import NotExpressible

_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def payload(body: Mapping[str, Any]) -> bytes:
    """`body` as compact ASCII JSON; NotExpressible where JSON cannot hold it (NaN, or nested too deep)."""
    try:
        return _ENCODER.encode(body).encode("ascii")
    except (ValueError, TypeError, RecursionError) as error:
        raise NotExpressible(f"the request cannot be written as JSON: {error}") from error

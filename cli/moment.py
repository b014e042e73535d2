"""A time on the command line: how long ago, or ISO 8601."""

import re
import time
from datetime import datetime
from typing import Any

import click

_AGO = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Moment(click.ParamType[float]):
    """A time as Unix seconds, given as ISO 8601 or as how long ago."""

    name = "WHEN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`2h` is two hours ago; an ISO time without an offset is local."""
        if isinstance(value, int | float):
            return float(value)
        ago = _AGO.fullmatch(value)
        if ago is not None:
            return time.time() - int(ago[1]) * _SECONDS[ago[2]]
        try:
            return datetime.fromisoformat(value).astimezone().timestamp()
        except (ValueError, OverflowError, OSError):
            self.fail("expected how long ago (90s, 30m, 2h, 7d) or an ISO 8601 time", param, ctx)


class Lapse(click.ParamType[float]):
    """A length of time as seconds."""

    name = "HOW LONG"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`2h` is 7200."""
        if isinstance(value, int | float):
            return float(value)
        lapse = _AGO.fullmatch(value)
        if lapse is None:
            self.fail("expected a length of time: 90s, 30m, 2h, 7d", param, ctx)
        return float(int(lapse[1]) * _SECONDS[lapse[2]])


class Later(click.ParamType[float]):
    """A time to come as Unix seconds, given as ISO 8601 or as how long from now."""

    name = "WHEN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`2h` is in two hours; an ISO time without an offset is local."""
        if isinstance(value, int | float):
            return float(value)
        lapse = _AGO.fullmatch(value)
        if lapse is not None:
            return time.time() + int(lapse[1]) * _SECONDS[lapse[2]]
        try:
            return datetime.fromisoformat(value).astimezone().timestamp()
        except (ValueError, OverflowError, OSError):
            self.fail("expected how long from now (30m, 2h, 7d) or an ISO 8601 time", param, ctx)

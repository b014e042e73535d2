"""How long a stream is and how fast: asked for in the prompt, so that every gateway passes it on. Pure."""

import re
from dataclasses import dataclass

_ASKED = re.compile(rb"\[(\d+) tokens, (\d+) microseconds apart\]")
_STREAM = re.compile(rb'"stream":\s*true')
_USAGE = re.compile(rb'"include_usage":\s*true')


@dataclass(frozen=True, slots=True)
class Pace:
    """So many tokens, so far apart; `pause_s` of 0 is as fast as they are taken."""

    tokens: int
    pause_s: float

    @property
    def seconds(self) -> float:
        """How long a stream lasts at the least."""
        return self.tokens * self.pause_s

    @property
    def mark(self) -> str:
        """What a prompt holds to ask for this pace."""
        return f"[{self.tokens} tokens, {round(self.pause_s * 1e6)} microseconds apart]"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants of the provider: `pace` is None where it is not to be streamed."""

    pace: Pace | None
    usage: bool

    @classmethod
    def of(cls, request: bytes) -> "Asked":
        """What the bytes of a whole request say. A stream without a mark is one token long."""
        if not _STREAM.search(request):
            return cls(None, usage=False)
        found = _ASKED.search(request)
        pace = Pace(int(found[1]), int(found[2]) / 1e6) if found else Pace(1, 0.0)
        return cls(pace, usage=_USAGE.search(request) is not None)

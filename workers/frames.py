"""What goes over Redis of a stream: one line for each choice delta. Pure.

A line is JSON: a string is content of choice 0 (by far the most), an object any other choice delta, and an array says
who answers from here on, as [provider, model].
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any

_CONTENT_ONLY = ("content",)
# Where a delta holds an event of a provider's own Responses endpoint, and nothing else.
RESPONSE_EVENT = "response_event"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who answers."""

    provider: str
    model: str


def speaker_line(speaker: Speaker) -> str:
    """The line that goes before all that `speaker` says."""
    return json.dumps([speaker.provider, speaker.model])


def line(choice: Mapping[str, Any]) -> str:
    """The line of one entry of a chat chunk's `choices`."""
    delta = choice["delta"]
    if choice["index"] == 0 and tuple(delta) == _CONTENT_ONLY:
        content = delta["content"]
        if isinstance(content, str) and choice.get("finish_reason") is None and not choice.get("logprobs"):
            return encode_basestring_ascii(content)
    kept = {name: value for name, value in choice.items() if value is not None}
    return json.dumps(kept, separators=(",", ":"))


def read(text: bytes | str) -> Speaker | dict[str, Any]:
    """What a line says: who speaks, or an entry of `choices`."""
    value = json.loads(text)
    if isinstance(value, str):
        return {"index": 0, "delta": {"content": value}}
    if isinstance(value, list):
        return Speaker(*value)
    return dict(value)

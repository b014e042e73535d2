"""Reading a stream of server-sent events as a caller would, line by line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests


@dataclass(frozen=True)
class Received:
    """One event. `number` is its id, None where it has none; `data` is JSON, or the text itself ([DONE])."""

    number: int | None
    name: str | None
    data: Any

    @property
    def content(self) -> str:
        """What a chat chunk adds to the answer."""
        return "".join(choice["delta"].get("content") or "" for choice in self.data["choices"])


def received(response: requests.Response) -> Iterator[Received]:
    """The events of `response` as they come; comments are left out."""
    fields: dict[str, str] = {}
    for line in response.iter_lines(chunk_size=1, decode_unicode=True):
        if line:
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
        elif fields:
            text = fields.get("data", "")
            number = int(fields["id"]) if "id" in fields else None
            yield Received(number, fields.get("event"), text if text == "[DONE]" else json.loads(text))
            fields = {}


def chunks(response: requests.Response) -> list[Received]:
    """All events but the [DONE] that must end them."""
    events = list(received(response))
    assert events[-1] == Received(None, None, "[DONE]"), events[-1:]
    return events[:-1]


def said(events: list[Received]) -> str:
    """What chat chunks say together."""
    return "".join(event.content for event in events)

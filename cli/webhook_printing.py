"""Webhooks as they come, for people or for programs."""

import json
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from cli.webhook_listener import Received

_COLOURS = {"completed": "green", "failed": "red", "cancelled": "yellow", "expired": "yellow"}


def printer(*, as_json: bool) -> Callable[[Received], None]:
    """What prints one webhook on stdout; it may be called from several threads."""
    lock, console = threading.Lock(), Console(highlight=False)

    def show(received: Received) -> None:
        with lock:
            if as_json:
                sys.stdout.write(json.dumps(as_line(received)) + "\n")
                sys.stdout.flush()
            else:
                console.print(as_text(received))

    return show


def as_line(received: Received) -> dict[str, Any]:
    """A webhook as an object: its id, whether it verifies, and the event, or its text where that is no JSON."""
    return {
        "received_at": round(received.at, 3),
        "webhook_id": received.id,
        "verified": received.fault is None,
        "fault": received.fault,
        "event": _event(received.body),
    }


def as_text(received: Received) -> Text:
    """A webhook as a line: when, what, of which subject, and how the job or batch stands."""
    event = _event(received.body)
    told = event if isinstance(event, dict) else {}
    kind, data = str(told.get("type", "no event")), told.get("data")
    subject = data if isinstance(data, dict) else {}
    line = Text(datetime.fromtimestamp(received.at).astimezone().strftime("%H:%M:%S "), style="dim")
    line.append("verified " if received.fault is None else f"REFUSED ({received.fault}) ", _verdict(received))
    line.append(kind, f"bold {_COLOURS.get(kind.rpartition('.')[2], 'cyan')}")
    for name in ("id", "model", "provider"):
        if isinstance(subject.get(name), str):
            line.append(f"  {subject[name]}")
    error = subject.get("error")
    if isinstance(error, dict):
        line.append(f"  {error.get('message')}", "red")
    return line


def _verdict(received: Received) -> str:
    return "green" if received.fault is None else "bold red"


def _event(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")

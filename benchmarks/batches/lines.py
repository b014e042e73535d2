"""The lines of all runs: as long as the other benchmarks' request."""

import json
from typing import Any

from benchmarks.request import MODEL

_PROMPT = (
    "Explain to a new colleague, in plain words, why a gateway writes a request down before it calls anybody. " * 3
)


def line_body(number: int) -> dict[str, Any]:
    """The body of one line, which no other has."""
    return {"model": MODEL, "messages": [{"role": "user", "content": f"{number}: {_PROMPT.strip()}"}]}


def input_file(lines: int) -> bytes:
    """A batch's input."""
    entries = ({"custom_id": f"line-{number}", "body": line_body(number)} for number in range(lines))
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)

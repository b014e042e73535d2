"""What happened to a subject of webhooks, as its source tells it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Happening:
    """One event."""

    tenant: str
    # A name of events.py.
    event: str
    # Unix ms. The same subject may have another such event at another time.
    occurred_ms: int
    # The receiver its request named; empty where it named none.
    url: str
    # The `data` of the webhook.
    data: dict[str, Any]

"""A golden file: what passed on both wires, without what differs from run to run, one chunk to a line."""

import json
from pathlib import Path
from typing import Any

from tests.golden.cases import Case
from tests.golden.wire import Exchange

_WIDTH = 118
DATA = Path(__file__).parent / "data"
_IDENTIFIERS = frozenset({"id", "tool_call_id", "tool_use_id", "job_id"})
_TIMES = frozenset({"created", "started_at", "timestamp"})
_DURATIONS = frozenset({"duration", "queue_time", "total_processing_time", "api_processing_time"})


def golden_file(provider: str, case: Case) -> Path:
    """Where a case of a provider is kept."""
    return DATA / provider / f"{case.name}.json"


def record_of(exchanges: dict[str, list[Exchange]]) -> dict[str, Any]:
    """The exchanges as JSON. Each way numbers its identifiers anew."""
    return {way: _turns(turns) for way, turns in exchanges.items()}


def written(value: Any, indent: int = 0, *, flat: bool = False) -> str:
    """JSON as a file's text: what fits stands in one line, and so does each event of a stream (`flat`)."""
    compact = json.dumps(value, ensure_ascii=False)
    if flat or len(compact) + indent <= _WIDTH or not isinstance(value, dict | list):
        return compact
    pad = " " * (indent + 1)
    if isinstance(value, list):
        return "[\n" + ",\n".join(pad + written(item, indent + 1) for item in value) + "\n" + pad[1:] + "]"
    lines = []
    for name, item in value.items():
        if name == "events":
            events = ",\n".join(f"{pad} {written(event, flat=True)}" for event in item)
            lines.append(f'{pad}"events": [\n{events}\n{pad}]')
        else:
            lines.append(f"{pad}{json.dumps(name)}: {written(item, indent + 1)}")
    return "{\n" + ",\n".join(lines) + "\n" + pad[1:] + "}"


def settled(value: Any, names: dict[str, str], within: str = "") -> Any:
    """`value` with identifiers numbered, and times and durations taken out."""
    if isinstance(value, list):
        return [settled(item, names, within) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _field(name, item, names, within) for name, item in value.items()}


def _field(name: str, value: Any, names: dict[str, str], within: str) -> Any:
    if name in _IDENTIFIERS and isinstance(value, str):
        return names.setdefault(value, f"<{name.removesuffix('_id')} {len(names) + 1}>")
    if name in _TIMES:
        return "<time>"
    if within == "routing_metadata" and name in _DURATIONS:
        return "<ms>"
    if within == "routing_metadata" and name == "cost_microusd":
        return "<cost>"
    return settled(value, names, "routing_metadata" if name == "routing_metadata" else within)


def _turns(turns: list[Exchange]) -> list[dict[str, Any]]:
    names: dict[str, str] = {}
    return [_told(turn, names) for turn in turns]


def _told(exchange: Exchange, names: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {"asked": exchange.asked, "sent": exchange.sent, "status": exchange.status}
    if exchange.answer is not None:
        told["answer"] = exchange.answer
    if exchange.events:
        told["events"] = exchange.events
    found: dict[str, Any] = settled(told, names)
    return found

"""How keys are drawn on a terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cli.output import ago, clock, styled, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_STYLES = {"active": "green", "expired": "yellow", "revoked": "dim"}


def key_table(found: Sequence[Mapping[str, Any]]) -> "RenderableType":
    """A line for each key."""
    if not found:
        return "There are no keys."
    return table(
        ("id", "tenant", "name", "prefix", "status", "created", "expires"),
        (
            (
                key["id"],
                key["tenant_id"],
                key["name"],
                key["prefix"],
                _status(key),
                "in a file" if key["source"] == "file" else ago(key["created_at"]),
                clock(key["expires_at"]),
            )
            for key in found
        ),
    )


def key_text(key: Mapping[str, Any]) -> "RenderableType":
    """All that is known of one key."""
    rows: list[tuple[str, str | Text]] = [
        ("id", key["id"]),
        ("tenant", key["tenant_id"]),
        ("name", key["name"] or "-"),
        ("prefix", key["prefix"] or "-"),
        ("status", _status(key)),
        ("created", "in a tenant's file" if key["source"] == "file" else clock(key["created_at"])),
        ("expires", clock(key["expires_at"])),
        ("models", ", ".join(key["models"] or ["all of its tenant's"])),
        ("providers", ", ".join(key["providers"] or ["all of its tenant's"])),
        *((f"limit {name}", f"{limit:,}") for name, limit in key["limits"].items()),
        *((f"metadata {name}", text) for name, text in key["metadata"].items()),
    ]
    if key["previous_valid_until"] is not None:
        rows.append(("old secret works until", clock(key["previous_valid_until"])))
    drawn = table(("", ""), rows)
    drawn.show_header = False
    return drawn


def secret_text(key: Mapping[str, Any]) -> str:
    """A key that was just made or rotated, with its secret."""
    lines = [f"{key['id']} of tenant {key['tenant_id']}:", "", f"  {key['secret']}", ""]
    if key["previous_valid_until"] is not None:
        lines.append(f"The secret before it works until {clock(key['previous_valid_until'])}.")
    return "\n".join([*lines, "Keep it now: it is not shown again."])


def _status(key: Mapping[str, Any]) -> "Text":
    return styled(key["status"], _STYLES.get(key["status"], ""))

"""How tenants are drawn on a terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cli.output import styled, table

if TYPE_CHECKING:
    from rich.console import RenderableType


def tenant_table(found: Sequence[Mapping[str, Any]]) -> "RenderableType":
    """A line for each tenant."""
    return table(
        ("id", "name", "status", "from", "providers", "policy"),
        (
            (
                tenant["id"],
                tenant["name"] or "",
                styled(tenant["status"], "green" if tenant["status"] == "active" else "yellow"),
                "its file" if tenant["source"] == "file" else "run time",
                ", ".join(tenant["providers"]["enabled"]),
                tenant["routing_policy"],
            )
            for tenant in found
        ),
    )


def tenant_text(tenant: Mapping[str, Any]) -> "RenderableType":
    """All that is known of one tenant."""
    providers = tenant["providers"]
    rows = [
        ("id", tenant["id"]),
        ("name", tenant["name"] or "-"),
        ("status", tenant["status"]),
        ("from", "its file" if tenant["source"] == "file" else "run time"),
        ("providers", ", ".join(providers["enabled"])),
        ("policy", tenant["routing_policy"]),
        *((f"quota {name}", f"{limit:,}") for name, limit in tenant["quotas"].items()),
        *((f"feature {name}", str(value)) for name, value in tenant["features"].items() if value is not None),
    ]
    drawn = table(("", ""), rows)
    drawn.show_header = False
    return drawn

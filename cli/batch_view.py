"""How batches are drawn on a terminal."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cli.output import ago, clock, status_text, table

if TYPE_CHECKING:
    from rich.table import Table

# More errors than this are in the error file.
_SHOWN = 10


def batch_table(batches: Iterable[Mapping[str, Any]]) -> "Table":
    """A line for each batch."""
    return table(
        ("id", "status", "lines", "done", "failed", "created"),
        (
            (
                found["id"],
                status_text(found["status"]),
                *(str(found["request_counts"][name]) for name in ("total", "completed", "failed")),
                ago(found["created_at"]),
            )
            for found in batches
        ),
    )


def batch_text(found: Mapping[str, Any]) -> str:
    """One batch, and what is wrong with its lines."""
    counts, usage = found["request_counts"], found["usage"]
    lines = [
        f"{found['id']}  {found['status']}",
        f"{counts['completed']} of {counts['total']} lines answered, {counts['failed']} without an answer",
        f"{usage['input_tokens']} tokens in, {usage['output_tokens']} out",
        f"created {clock(found['created_at'])}, to be done by {clock(found['expires_at'])}",
    ]
    for name, what in (("output_file_id", "answers"), ("error_file_id", "errors")):
        if found[name]:
            lines.append(f"{what}: {found[name]}")
    problems = (found["errors"] or {}).get("data", [])
    for problem in problems[:_SHOWN]:
        where = "the file" if problem["line"] is None else f"line {problem['line']}"
        lines.append(f"{where}: {problem['message']}")
    if len(problems) > _SHOWN:
        lines.append(f"and {len(problems) - _SHOWN} more: model-router batch results {found['id']} --errors")
    return "\n".join(lines)

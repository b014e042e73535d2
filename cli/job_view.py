"""Jobs as people see them on a terminal: a table of many, a timeline of one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cli.output import ago, clock, duration, status_text, styled, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def job_table(jobs: Sequence[Mapping[str, Any]]) -> "RenderableType":
    """One line a job."""
    if not jobs:
        return "There are no such jobs."
    return table(
        ("id", "status", "model", "provider", "accepted", "took", "attempts", "error"),
        ((job["id"], status_text(job["status"]), *_rest(job)) for job in jobs),
    )


def job_text(job: Mapping[str, Any]) -> "RenderableType":
    """All that is known of one job but its answer's text: facts, attempts in the order they were made, its end."""
    from rich.console import Group  # noqa: PLC0415

    facts = table(("", ""), _facts(job))
    facts.show_header = False
    parts: list[RenderableType] = [facts, ""]
    if job["attempts"]:
        parts.append(timeline(job["attempts"], job["created_at"]))
    else:
        parts.append("No provider was called for it yet.")
    if job["error"]:
        parts += ["", styled(f"{job['error'].get('code') or 'error'}: {job['error'].get('message')}", "red")]
    return Group(*parts)


def timeline(attempts: Sequence[Mapping[str, Any]], accepted_at: float) -> "Table":
    """The attempts, each with when it began after the job was accepted."""
    return table(
        ("began", "provider", "model", "status", "took", "error"),
        (
            (
                f"+{duration(max(attempt['started_at'] - accepted_at, 0))}",
                attempt["provider"] + (" (hedge)" if attempt.get("hedge") else ""),
                attempt["model"],
                status_text(attempt["status"]),
                duration(attempt["duration"] / 1000),
                attempt.get("error", ""),
            )
            for attempt in attempts
        ),
    )


def _facts(job: Mapping[str, Any]) -> "Iterable[tuple[Any, Any]]":
    yield "job", job["id"]
    yield "status", status_text(job["status"])
    yield "model", job["model"]
    yield "provider", job["provider"] or "-"
    yield "accepted", clock(job["created_at"])
    yield "started", clock(job["started_at"])
    yield "ended", clock(job["ended_at"])
    yield "deadline", clock(job["deadline_at"])
    if job.get("plan"):
        candidates = (f"{candidate['provider']}/{candidate['model']}" for candidate in job["plan"]["candidates"])
        yield "plan", f"{job['plan']['policy']}: {', '.join(candidates)}"
    for name, about in (("replay_of", "replay of"), ("replayed_as", "replayed as")):
        if job.get(name):
            yield about, job[name]


def _rest(job: Mapping[str, Any]) -> tuple[str, ...]:
    took = "-" if job["ended_at"] is None else duration(job["ended_at"] - job["created_at"])
    error = (job["error"] or {}).get("code") or ""
    replayed = " (replayed)" if job.get("replayed_as") else ""
    return (
        job["model"],
        job["provider"] or "-",
        ago(job["created_at"]),
        took,
        str(len(job["attempts"])),
        f"{error}{replayed}",
    )

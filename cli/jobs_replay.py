"""`model-router jobs replay`: run jobs again that got no answer, some by their ids or many by how they ended."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from cli.bulk_replay import BulkReplay, Report
from cli.client import ApiError, Client, asks_api
from cli.job_path import job_path
from cli.job_view import job_table
from cli.moment import Moment
from cli.output import Output, json_option

_STATUSES = ("failed", "expired", "cancelled")


@click.command(short_help="Run jobs again that got no answer.")
@click.argument("job_ids", nargs=-1)
@click.option(
    "--status", "statuses", type=click.Choice(_STATUSES), multiple=True, help="All that ended so; repeatable."
)
@click.option("--since", type=Moment(), help="Only jobs accepted since: 90s, 30m, 2h, 7d ago, or an ISO 8601 time.")
@click.option("--model", help="Ask for this model instead.")
@click.option("--policy", help="Order the candidates by this routing policy instead.")
@click.option("--provider-json", help="OpenRouter's `provider` object instead of the first one, as JSON.")
@click.option(
    "--deadline-s", type=click.FloatRange(0, min_open=True), help="Seconds from now instead of the first one."
)
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=20, show_default=True, help="Jobs per second.")
@click.option("--dry-run", is_flag=True, help="Only show which jobs it would be.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@json_option
@asks_api
def replay(
    client: Client,
    /,
    job_ids: tuple[str, ...],
    statuses: tuple[str, ...],
    since: float | None,
    rate: float,
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **changes: Any,
) -> None:
    r"""Run the requests of JOB_IDS again, each as a new job; or with --status of all jobs that ended so.

    Jobs that were replayed before are left out of the latter, so that it can be broken off and given again. Exits 1
    where a job was refused.

    \b
    model-router jobs replay --status failed --status expired --since 1h --dry-run
    """
    if bool(job_ids) == bool(statuses):
        raise click.UsageError("give the ids of jobs, or --status")
    output, body = Output(as_json=as_json), _changes(changes)
    if job_ids:
        found, before = [client.get(job_path(job_id)) for job_id in job_ids], 0
    else:
        found, before = _ended_so(client, statuses, since)
    if dry_run:
        shown = [{name: value for name, value in job.items() if name not in ("plan", "response")} for job in found]
        output.show({"object": "list", "data": shown}, lambda: job_table(shown))
        return
    if statuses and found and not yes:
        _ask(len(found), before)
    bulk = BulkReplay(client, body, once=bool(statuses), rate=rate)
    with output.bar("Replaying", len(found)) as progress:
        report = bulk.run([job["id"] for job in found], progress)
    output.show(report.as_object(before), lambda: _told(report, before))
    if report.refused or report.stopped:
        raise click.exceptions.Exit(1)


def _changes(given: Mapping[str, Any]) -> dict[str, Any]:
    body = {"model": given["model"], "routing_policy": given["policy"], "deadline_s": given["deadline_s"]}
    if given["provider_json"] is not None:
        try:
            body["provider"] = json.loads(given["provider_json"])
        except ValueError as error:
            raise ApiError(f"--provider-json is not JSON: {error}") from error
    return {name: value for name, value in body.items() if value is not None}


def _ended_so(client: Client, statuses: tuple[str, ...], since: float | None) -> tuple[list[dict[str, Any]], int]:
    """The jobs that ended so and were not replayed yet, oldest first; and how many were."""
    query = {"status": ",".join(statuses), "created_after": since, "order": "asc"}
    fresh, before = [], 0
    for job in client.listed("/v1/jobs", query):
        if job["replayed_as"] is None:
            fresh.append(job)
        else:
            before += 1
    return fresh, before


def _ask(count: int, before: int) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to be asked: give --yes, or --dry-run to see which jobs it would be")
    known = f" ({before} were replayed before)" if before else ""
    click.confirm(f"Replay {count} jobs{known}?", abort=True, err=True)


def _told(report: Report, before: int) -> str:
    lines = (
        [f"{old} is replayed as {new}" for old, new in report.replayed.items()] if len(report.replayed) <= 10 else []
    )
    lines += [f"{old} is refused: {why}" for old, why in report.refused.items()]
    if report.stopped:
        lines.append(f"Stopped: {report.stopped}. The same command goes on with the rest.")
    known = f", {before} were replayed before" if before else ""
    return "\n".join((*lines, f"{len(report.replayed)} replayed, {len(report.refused)} refused{known}."))

"""`model-router jobs`: look at jobs, cancel them, and run those again that got no answer."""

from itertools import islice
from typing import Any

import click

from cli.client import ApiError, Client, asks_api
from cli.job_path import job_path
from cli.job_view import job_table, job_text
from cli.jobs_replay import replay
from cli.moment import Moment
from cli.output import Output, json_option

_STATUSES = ("queued", "in_progress", "completed", "failed", "cancelled", "expired")
_PAGE = 100


@click.group(short_help="List, show, cancel and replay jobs.")
def jobs() -> None:
    r"""Look at jobs, cancel them, and replay those that got no answer. Asks the API, here or at --url.

    \b
    model-router jobs list --status failed --since 1h
    model-router jobs show JOB_ID
    model-router jobs cancel JOB_ID JOB_ID
    model-router jobs replay --status failed --since 1h --model smart
    """


@jobs.command("list")
@click.option("--status", "statuses", type=click.Choice(_STATUSES), multiple=True, help="Only these; may be repeated.")
@click.option("--model", help="Only jobs that asked for this model, in these words.")
@click.option("--provider", help="Only jobs for which this provider was called, or that are on its queue.")
@click.option("--since", type=Moment(), help="Only jobs accepted since: 90s, 30m, 2h, 7d ago, or an ISO 8601 time.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many, newest first.")
@click.option("--all", "every", is_flag=True, help="All there are, however many.")
@json_option
@asks_api
def show_list(
    client: Client,
    statuses: tuple[str, ...],
    model: str | None,
    provider: str | None,
    since: float | None,
    limit: int,
    *,
    every: bool,
    as_json: bool,
) -> None:
    """List jobs, newest first: a table on a terminal, the API's JSON in a pipe."""
    query = {"status": ",".join(statuses) or None, "model": model, "provider": provider, "created_after": since}
    # One more than is shown, to know whether there are more.
    most = None if every else limit + 1
    found = list(islice(client.listed("/v1/jobs", query, page=min(most or _PAGE, _PAGE)), most))
    shown = found if every else found[:limit]
    more = len(found) > len(shown)
    output = Output(as_json=as_json)
    output.show({"object": "list", "data": shown, "has_more": more}, lambda: job_table(shown))
    if more and not output.plain:
        output.note(f"There are more than these {limit}: --limit N or --all shows them.")


@jobs.command()
@click.argument("job_id")
@json_option
@asks_api
def show(client: Client, job_id: str, *, as_json: bool) -> None:
    """Show one job, with the timeline of its attempts."""
    job = client.get(job_path(job_id))
    Output(as_json=as_json).show(job, lambda: job_text(job))


@jobs.command()
@click.argument("job_ids", nargs=-1, required=True)
@json_option
@asks_api
def cancel(client: Client, job_ids: tuple[str, ...], *, as_json: bool) -> None:
    """Cancel jobs that have not ended. Exits 1 where one could not be cancelled; the others are."""
    done: list[dict[str, Any]] = []
    for job_id in job_ids:
        try:
            done.append({"id": job_id, "status": client.post(f"{job_path(job_id)}/cancel")["status"]})
        except ApiError as error:
            # Without an answer, or the right to ask, the next one would fare no better.
            if error.status not in (404, 409):
                raise
            done.append({"id": job_id, "error": error.message})
    lines = [f"{job['id']}: {job.get('status') or job['error']}" for job in done]
    Output(as_json=as_json).show(done, lambda: "\n".join(lines))
    if any("error" in job for job in done):
        raise click.exceptions.Exit(1)


jobs.add_command(replay)

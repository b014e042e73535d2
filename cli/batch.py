"""`model-router batch`: submit files of requests, watch them, fetch what they came to."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import click

from cli.batch_view import batch_table, batch_text
from cli.client import ApiError, Client, asks_api
from cli.output import Output, json_option

_ENDPOINTS = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses")
_ENDED = ("completed", "failed", "expired", "cancelled")
# How often a batch is looked at while it is watched, and for how long an API that is away is asked again.
_LOOK_S, _PATIENCE_S = 1.0, 60.0
# A large file takes its time.
_UPLOAD_S = 3600.0
_BLOCK = 256 * 1024


@click.group(short_help="Submit, watch, cancel and fetch batches.")
def batch() -> None:
    r"""Run files of requests: a line of JSON for each, as OpenAI's Batch API has them. Asks the API, here or at --url.

    \b
    model-router batch submit lines.jsonl --watch
    model-router batch status BATCH_ID
    model-router batch results BATCH_ID -o answers.jsonl
    model-router batch cancel BATCH_ID
    """


@batch.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--endpoint",
    type=click.Choice(_ENDPOINTS),
    default=_ENDPOINTS[0],
    show_default=True,
    help="What every line asks.",
)
@click.option("--window", default="24h", show_default=True, help="How long it may take, from 1m to 24h.")
@click.option("--metadata", multiple=True, metavar="NAME=TEXT", help="A pair to keep with it; may be repeated.")
@click.option("--webhook-url", help="Where to send the batch when it has ended.")
@click.option("--watch", "watched", is_flag=True, help="Stay until it has ended, with a progress bar.")
@json_option
@asks_api
def submit(
    client: Client,
    file: BinaryIO,
    endpoint: str,
    window: str,
    metadata: tuple[str, ...],
    webhook_url: str | None,
    *,
    watched: bool,
    as_json: bool,
) -> None:
    """Upload FILE (- is stdin) and create a batch of its lines. Exits 1 where a watched batch is not completed."""
    output = Output(as_json=as_json)
    pairs = _pairs(metadata)
    name = "lines.jsonl" if file.name == "<stdin>" else Path(file.name).name
    parts = {"file": (name, file, "application/jsonl")}
    uploaded = client.request("POST", "/v1/files", files=parts, data={"purpose": "batch"}, timeout=_UPLOAD_S).json()
    asked: dict[str, Any] = {
        "input_file_id": uploaded["id"],
        "endpoint": endpoint,
        "completion_window": window,
        **({"metadata": pairs} if pairs else {}),
        **({"webhook_url": webhook_url} if webhook_url else {}),
    }
    try:
        created = client.post("/v1/batches", asked)
    except ApiError:
        # Nobody knows of the file but this command.
        client.delete(f"/v1/files/{uploaded['id']}")
        raise
    if watched:
        output.note(f"{created['id']}: {uploaded['bytes']:,} bytes")
        _follow(client, created["id"], output)
        return
    output.show(created, lambda: batch_text(created))


@batch.command()
@click.argument("batch_id", required=False)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many are listed.")
@json_option
@asks_api
def status(client: Client, batch_id: str | None, limit: int, *, as_json: bool) -> None:
    """Show one batch, or list the newest."""
    output = Output(as_json=as_json)
    if batch_id is None:
        found = client.get("/v1/batches", {"limit": limit})
        output.show(found, lambda: batch_table(found["data"]))
        return
    shown = client.get(_path(batch_id))
    output.show(shown, lambda: batch_text(shown))


@batch.command()
@click.argument("batch_id")
@json_option
@asks_api
def watch(client: Client, batch_id: str, *, as_json: bool) -> None:
    """Stay with a batch until it has ended, with a progress bar. Exits 1 where it is not completed."""
    _follow(client, batch_id, Output(as_json=as_json))


@batch.command()
@click.argument("batch_id")
@click.option("-o", "--output", "target", default="-", metavar="FILE", help="Write to this file; - is stdout.")
@click.option("--errors", is_flag=True, help="The lines without an answer, instead of the answers.")
@asks_api
def results(client: Client, batch_id: str, target: str, *, errors: bool) -> None:
    """Fetch the answers, while the batch runs those there are so far."""
    kind = "errors" if errors else "output"
    with client.request("GET", f"{_path(batch_id)}/results", params={"kind": kind}, stream=True) as response:
        if target == "-":
            _write(response, sys.stdout.buffer)
            return
        # Half a file is never taken for the whole.
        part = Path(f"{target}.part")
        try:
            with part.open("wb") as file:
                lines = _write(response, file)
            part.replace(target)
        except OSError as error:
            raise click.ClickException(f"cannot write {target}: {error.strerror or error}") from error
    Output().note(f"{lines:,} lines in {target}")


@batch.command()
@click.argument("batch_id")
@json_option
@asks_api
def cancel(client: Client, batch_id: str, *, as_json: bool) -> None:
    """Run no more lines of a batch. What is done is kept."""
    cancelled = client.post(f"{_path(batch_id)}/cancel")
    Output(as_json=as_json).show(cancelled, lambda: batch_text(cancelled))


def _path(batch_id: str) -> str:
    return f"/v1/batches/{quote(batch_id, safe='')}"


def _pairs(metadata: tuple[str, ...]) -> Mapping[str, str]:
    for pair in metadata:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not NAME=TEXT", param_hint="--metadata")
    return dict(pair.split("=", 1) for pair in metadata)


def _follow(client: Client, batch_id: str, output: Output) -> None:
    """Look at the batch until it has ended, and show it. An API that restarts meanwhile is asked again."""
    shown = client.get(_path(batch_id))
    while shown["status"] == "validating":
        time.sleep(_LOOK_S)
        shown = _asked_again(client, batch_id)
    with output.bar(batch_id, shown["request_counts"]["total"]) as tell:
        while shown["status"] not in _ENDED:
            counts = shown["request_counts"]
            tell(counts["completed"] + counts["failed"])
            time.sleep(_LOOK_S)
            shown = _asked_again(client, batch_id)
    output.show(shown, lambda: batch_text(shown))
    if shown["status"] != "completed":
        raise click.exceptions.Exit(1)


def _asked_again(client: Client, batch_id: str) -> Any:
    give_up_at = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return client.get(_path(batch_id))
        except ApiError as error:
            if error.status not in (None, 502, 503, 504) or time.monotonic() > give_up_at:
                raise
            time.sleep(_LOOK_S)


def _write(response: Any, file: Any) -> int:
    """Write the body to `file`; how many lines it has."""
    lines = 0
    for block in response.iter_content(_BLOCK):
        file.write(block)
        lines += block.count(b"\n")
    return lines

"""`model-router usage`: what was used, and whether what was counted is what the records say."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from cli.client import ApiError, Client, connect
from cli.environment import read_settings
from cli.output import Output, json_option, styled, table
from cli.usage_reconcile import reconcile

if TYPE_CHECKING:
    from rich.table import Table

_FIGURES = {
    "requests": "answered",
    "failed_requests": "failed",
    "cancelled_requests": "cancelled",
    "prompt_tokens": "prompt",
    "completion_tokens": "completion",
    "cached_tokens": "cached",
    "reasoning_tokens": "reasoning",
}


@click.group(short_help="Show what was used; compare it with the ledger.")
def usage() -> None:
    r"""Show what was used, and compare what was counted with the records of jobs.

    \b
    model-router usage show --start 2026-11-01 --by day,model
    model-router usage show --all-tenants --by tenant --csv
    model-router usage reconcile
    """


@usage.command()
@click.option("--start", metavar="YYYY-MM-DD", help="The first day, in UTC; 30 days up to the last if left out.")
@click.option("--end", metavar="YYYY-MM-DD", help="The last day, in UTC; today if left out.")
@click.option("--by", default="day", show_default=True, help="day, model, provider, key, tenant; commas between.")
@click.option("--all-tenants", "everyone", is_flag=True, help="Of all tenants: needs MODEL_ROUTER_ADMIN_KEY.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--url", envvar="MODEL_ROUTER_URL", help="The API's URL; $MODEL_ROUTER_URL, or this machine's API.")
@click.option(
    "--api-key",
    envvar=("MODEL_ROUTER_API_KEY", "MODEL_ROUTER_KEY"),
    help="The API key; $MODEL_ROUTER_API_KEY, or for a sandbox on this machine a shipped one.",
)
@json_option
def show(
    start: str | None,
    end: str | None,
    by: str,
    url: str | None,
    api_key: str | None,
    *,
    everyone: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Print requests, tokens and cost: a table on a terminal, JSON in a pipe, or CSV."""
    path = "/admin/v1/usage" if everyone else "/v1/usage"
    query = {"start": start, "end": end, "group_by": by, "format": "csv" if as_csv else "json"}
    with _client(url, api_key, everyone=everyone) as client:
        if as_csv:
            click.echo(client.request("GET", path, params=query).text, nl=False)
            return
        found = client.get(path, query)
    Output(as_json=as_json).show(found, lambda: usage_table(found))


def _client(url: str | None, api_key: str | None, *, everyone: bool) -> Client:
    if not everyone:
        return connect(url, api_key)
    admin_key = read_settings().admin_key
    if admin_key is None:
        raise ApiError("--all-tenants needs the admin key: set MODEL_ROUTER_ADMIN_KEY, or MODEL_ROUTER_ADMIN_KEY_FILE")
    return connect(url, admin_key)


def usage_table(found: Mapping[str, Any]) -> "Table":
    """The answer of /v1/usage as a table, its totals last."""
    by = found["group_by"]
    rows = [[row[name] or "-" for name in by] + _cells(row) for row in found["data"]]
    drawn = table((*by, *_FIGURES.values(), "USD"), rows)
    drawn.add_section()
    drawn.add_row("total", *[""] * (len(by) - 1), *(styled(cell, "bold") for cell in _cells(found["totals"])))
    for column in drawn.columns[len(by) :]:
        column.justify = "right"
    return drawn


def _cells(figures: Mapping[str, Any]) -> list[str]:
    return [*(f"{figures[name]:,}" for name in _FIGURES), f"{figures['cost_microusd'] / 1e6:.6f}"]


usage.add_command(reconcile)

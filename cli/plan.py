"""`model-router plan`: how the running API would route a prompt. Calls no provider."""

import http.client
import json
import sys
import urllib.error
from typing import Any

import click

from cli.api_call import error_message, post
from cli.environment import read_configuration, read_settings
from cli.probe import request_body
from cli.stack import api_url
from cli.welcome import probe_key
from config.settings import Settings

_TIMEOUT_S = 10.0
_TITLES = (
    *("", "provider", "model", "score", "cost", "latency", "uptime", "est. cost", "est. latency", "in queue"),
    *("first token", "tokens/s", "calls", "tier", ""),
)


@click.command(short_help="Show how a prompt would be routed, and why.")
@click.argument("prompt", default="Hello!")
@click.option(
    "--model", required=True, help="An alias, provider/model, or a model's name; may end in :nitro or :floor."
)
@click.option("--policy", help="Order by this routing policy instead of the tenant's.")
@click.option("--provider-json", help="OpenRouter's `provider` object, as JSON.")
@click.option(
    "--key", envvar="MODEL_ROUTER_KEY", help="The API key; $MODEL_ROUTER_KEY, or in the sandbox a shipped one."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal, too.")
def plan(
    prompt: str, model: str, policy: str | None, provider_json: str | None, key: str | None, *, as_json: bool
) -> None:
    """Show how the running API would route PROMPT: candidates in order, and who is left out and why.

    Nothing is called and nothing costs. A table on a terminal, JSON in a pipe. Exits 1 when nobody can serve it.
    """
    settings = read_settings()
    body = request_body(model, prompt)
    if policy is not None:
        body["routing_policy"] = policy
    if provider_json is not None:
        body["provider"] = _json(provider_json)
    found = _ask(api_url(settings), key or _sandbox_key(settings), body)
    if as_json or not sys.stdout.isatty():
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(as_table(found))


def as_table(found: dict[str, Any]) -> str:
    """A plan as the API gives it, for people."""
    rows = [_row(place, candidate) for place, candidate in enumerate(found["candidates"], start=1)]
    hedged = f", hedged after {found['hedge_after_ms']:.0f} ms" if "hedge_after_ms" in found else ""
    lines = [f"policy {found['policy']}{hedged}", "", *_aligned([_TITLES, *rows])]
    if found["exclusions"]:
        lines += ["", "left out"]
        lines += _aligned([("", f"{left['provider']}/{left['model']}", left["reason"]) for left in found["exclusions"]])
    return "\n".join(lines)


def _row(place: int, candidate: dict[str, Any]) -> tuple[str, ...]:
    parts, estimates = candidate["parts"], candidate["estimates"]
    cost, throughput = estimates["cost_microusd"], estimates["tokens_per_s"]
    return (
        str(place),
        candidate["provider"],
        candidate["model"],
        *(f"{share:.3f}" for share in (candidate["score"], parts["cost"], parts["latency"], parts["uptime"])),
        "unknown" if cost is None else f"${cost / 1e6:.6f}",
        _ms(estimates["latency_ms"]),
        _ms(estimates["queue_wait_ms"]),
        _ms(estimates["ttft_ms"]),
        "unknown" if throughput is None else f"{throughput:.0f}",
        f"{estimates['evidence']:.1f}",
        str(candidate["tier"]),
        "explored" if candidate.get("explored") else "",
    )


def _ms(amount: float | None) -> str:
    return "unknown" if amount is None else f"{amount:.0f} ms"


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.ClickException(f"--provider-json is not JSON: {error}") from error


def _sandbox_key(settings: Settings) -> str:
    """The demonstration's key; a real configuration's keys are not used unasked."""
    configuration = read_configuration(settings)
    key = probe_key(configuration) if configuration.sandbox else None
    if key is None:
        raise click.ClickException("an API key is needed: give --key, or set MODEL_ROUTER_KEY")
    return key


def _ask(url: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = post(f"{url}/v1/routing/plan", key, body, _TIMEOUT_S)
    except urllib.error.HTTPError as error:
        raise click.ClickException(error_message(error.read()) or f"the API answered HTTP {error.code}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise click.ClickException(f"the API at {url} does not answer: {error}; is it running?") from error
    return found

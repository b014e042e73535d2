"""`model-router plan`: how the running API would route a prompt. Calls no provider."""

import json
from typing import Any

import click

from cli.client import Client, asks_api
from cli.output import Output, json_option
from cli.probe import request_body

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
@json_option
@asks_api
def plan(
    client: Client, prompt: str, model: str, policy: str | None, provider_json: str | None, *, as_json: bool
) -> None:
    """Show how the running API would route PROMPT: candidates in order, and who is left out and why.

    Nothing is called and nothing costs. A table on a terminal, JSON in a pipe. Exits 1 when nobody can serve it.
    """
    body = request_body(model, prompt)
    if policy is not None:
        body["routing_policy"] = policy
    if provider_json is not None:
        body["provider"] = _json(provider_json)
    found = client.post("/v1/routing/plan", body, timeout_s=_TIMEOUT_S)
    Output(as_json=as_json).show(found, lambda: as_table(found))


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

"""`model-router breaker`: look at the circuit breakers, and force one open or closed."""

import time

import click

from cli.environment import read_configuration, read_settings
from cli.ledger import open_ledger
from config.configuration import Configuration
from config.provider import MODEL_NAME
from routing.breaker import Breaker, BreakerState


@click.group(short_help="Look at the circuit breakers; force one open or closed.")
def breaker() -> None:
    r"""Look at the circuit breakers, or force one.

    NAME is a provider (all its deployments) or provider/model.

    \b
    model-router breaker list
    model-router breaker open groq
    model-router breaker close groq/openai/gpt-oss-20b
    model-router breaker auto groq
    """


@breaker.command("list")
def show() -> None:
    """Print every breaker that has seen a call, with its state."""
    settings = read_settings()
    configuration = read_configuration(settings)
    with open_ledger(settings) as ledger:
        found = ledger.provider_records.breakers()
    click.echo(table(found, time.time(), configuration.breaker.sliding_window_s))


def table(found: dict[str, Breaker], now: float, window_s: float) -> str:
    """The breakers as text, those that are not closed first."""
    if not found:
        return "No calls have been recorded yet: every circuit breaker is closed."
    ordered = sorted(found.items(), key=lambda row: (row[1].state is BreakerState.CLOSED, row[0]))
    width = max(len(name) for name in found)
    lines = [f"{'name':<{width}}  {'state':<13}  {'failures':>8}  {'next attempt':>12}  {'opened':>6}"]
    for name, row in ordered:
        wait = "" if row.next_attempt_s is None else f"in {row.wait_s(now):.0f} s"
        failures = row.failure_count(now, window_s)
        lines.append(f"{name:<{width}}  {row.state:<13}  {failures:>8}  {wait:>12}  {row.opened:>6}")
    return "\n".join(lines)


@breaker.command("open")
@click.argument("name")
def force_open(name: str) -> None:
    """Let no call through to NAME until `close` or `auto`."""
    _switch(name, BreakerState.FORCED_OPEN)


@breaker.command("close")
@click.argument("name")
def force_closed(name: str) -> None:
    """Let every call through to NAME, whatever happens, until `open` or `auto`."""
    _switch(name, BreakerState.FORCED_CLOSED)


@breaker.command("auto")
@click.argument("name")
def let_decide(name: str) -> None:
    """Let NAME's breaker decide by itself again: closed, with nothing counted."""
    _switch(name, BreakerState.CLOSED)


def _switch(name: str, to: BreakerState) -> None:
    settings = read_settings()
    _check_name(name, read_configuration(settings))
    with open_ledger(settings) as ledger:
        changed = ledger.provider_records.switch_breaker(name, to)
    click.echo(f"{name}: {'now' if changed else 'was already'} {to}")


def _check_name(name: str, configuration: Configuration) -> None:
    provider, slash, model = name.partition("/")
    if provider not in configuration.providers:
        known = ", ".join(sorted(configuration.providers))
        raise click.ClickException(f"no provider {provider!r} in providers.json; there are: {known}")
    if slash and not MODEL_NAME.fullmatch(model):
        raise click.ClickException(f"{name!r} is not provider/model")

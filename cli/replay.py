"""`model-router replay`: what a policy would have made of a trace, beside what was recorded."""

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from cli.environment import read_configuration, read_settings
from cli.policy_option import policy_of
from cli.progress import Progress
from cli.replay_report import as_object, as_table
from cli.trace_file import TraceFile
from config.configuration import Configuration
from config.policy import PolicyConfig
from routing.replay import Replay
from routing.replay_tally import Result, Tally
from routing.replay_world import World
from routing.trace import TracedJob
from routing.trace_fields import TraceError


class _BadTrace(click.ClickException):
    exit_code = 2


@click.command(short_help="Run a trace through a policy, and see what would change.")
@click.argument("trace", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--policy", required=True, help="A policy's name, or a file (.json) with one policy.")
@click.option("--against", help="A second policy to compare with, likewise.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same figures.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal, too.")
def replay(trace: Path, policy: str, against: str | None, seed: int, *, as_json: bool) -> None:
    r"""Simulate how the jobs of TRACE would have gone under a policy. Nothing is called and nothing costs.

    TRACE is what `model-router export` prints; - is stdin. A table on a terminal, JSON in a pipe. The policy holds for
    every job, whatever policy it was routed by.

    \b
    model-router export > trace.jsonl
    model-router replay trace.jsonl --policy cost-optimized --against balanced
    """
    configuration = read_configuration(read_settings())
    try:
        policies = [policy_of(name, configuration.policies) for name in (policy, against) if name is not None]
    except click.BadParameter as error:
        raise _BadTrace(error.message) from error
    try:
        with TraceFile(trace) as file:
            found = _compared(file, policies, configuration, seed)
    except TraceError as error:
        raise _BadTrace(str(error)) from error
    except OSError as error:
        raise _BadTrace(f"{trace}: {error.strerror or error}") from error
    click.echo(json.dumps(found, indent=2) if as_json or not sys.stdout.isatty() else as_table(found))


def _compared(
    file: TraceFile, policies: Sequence[PolicyConfig], configuration: Configuration, seed: int
) -> dict[str, Any]:
    """The recorded figures beside those of each policy."""
    world, recorded, filled_in = World(), Tally("recorded"), 0

    def learn(job: TracedJob) -> None:
        nonlocal filled_in
        world.learn(job)
        if job.is_replayed:
            recorded.recorded(job)
            filled_in += job.asked is None

    with Progress("lines read") as progress:
        file.index(learn, progress.at)
    world.settle()
    if not len(file):
        raise TraceError(f"{file.name}: its callers cancelled every job of the trace")
    if world.is_empty:
        raise TraceError(f"{file.name}: the trace holds no call to a provider that could be learnt from")
    replayed = partial(_replayed, file, world, configuration, seed)
    return as_object(file, [recorded.result(), *map(replayed, policies)], seed, filled_in)


def _replayed(file: TraceFile, world: World, configuration: Configuration, seed: int, policy: PolicyConfig) -> Result:
    simulation = Replay(world, policy, configuration.tenants, configuration.breaker, seed)
    with Progress(f"jobs replayed under {policy.name}") as progress:
        return simulation.run(file.jobs(progress.at))

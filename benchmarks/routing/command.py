"""`python -m benchmarks.routing`: providers fall ill, recover, refuse and change their prices under load.

Model Router beside a static priority list, LiteLLM's default strategy (simulated) and an oracle.
Exit code 1 when a goal is not reached, or when the machine was too busy to tell.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.process import StartError
from benchmarks.routing.goals import ROUTER
from benchmarks.routing.performance import STRATEGIES, Load, Performance, perform
from benchmarks.routing.report import report, to_json
from benchmarks.routing.scenarios import SCENARIOS
from benchmarks.run import duration, machine, unwind, whole_number
from cli.execution import raise_file_limit
from cli.redis_server import NoRedisServer


def main() -> None:
    """Read the command line, perform the scenarios, print their tables."""
    options = _options()
    raise_file_limit()
    signal.signal(signal.SIGTERM, unwind)
    try:
        performances = run(options)
    except (StartError, NoRedisServer) as error:
        raise SystemExit(f"benchmark: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if options.json:
        told = {"machine": machine(), "rate": options.rate, "seed": options.seed, "scenarios": to_json(performances)}
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    missed = [(p.scenario.name, goal) for p in performances for goal in p.goals if goal.reached is False]
    held = sum(goal.reached is not None for p in performances for goal in p.goals)
    print(f"\n{machine()}, {options.rate} requests/s\n{held - len(missed)} of {held} goals reached")
    for name, goal in missed:
        print(f"not reached: {name}: {goal.name}: {goal.seen}")
    disturbed = [p.scenario.name for p in performances if p.disturbed]
    if disturbed:
        print(f"the machine was too busy to measure: {', '.join(disturbed)}")
    sys.exit(bool(missed or disturbed))


def run(options: argparse.Namespace) -> list[Performance]:
    """Each scenario in turn, with its table as soon as it is over."""
    performances: list[Performance] = []
    folder = Path(tempfile.mkdtemp(prefix="model-router-routing-"))
    load = Load(options.rate, options.seed)
    print(f"{len(options.only)} scenarios of about a minute; logs in {folder}", flush=True)
    for place, name in enumerate(options.only, start=1):
        scenario = SCENARIOS[name]
        if options.seconds is not None:
            scenario = scenario.scaled(options.seconds)
        print(f"\n[{place}/{len(options.only)}] {name}, {scenario.seconds:.0f} s: {scenario.story}", flush=True)
        began = time.monotonic()
        found = perform(scenario, options.strategies, load, folder / name)
        performances.append(found)
        print(f"{report(found)}\n({time.monotonic() - began:.0f} s)", flush=True)
        mine = found.found.get(ROUTER)
        if mine is None or mine.answered == mine.requests:
            # Logs and an append-only file are kept only where they may tell what went wrong.
            shutil.rmtree(folder / name)
    if not any(folder.iterdir()):
        folder.rmdir()
    return performances


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing", description=__doc__)
    parser.add_argument(
        "--only", type=_scenarios, default=tuple(SCENARIOS), metavar="NAME,NAME", help=", ".join(SCENARIOS)
    )
    parser.add_argument(
        "--strategies", type=_strategies, default=STRATEGIES, metavar="NAME,NAME", help=", ".join(STRATEGIES)
    )
    parser.add_argument("--seconds", type=duration, help="of each scenario, its timeline stretched (default its own)")
    parser.add_argument("--rate", type=whole_number, default=50, help="requests a second per strategy (default 50)")
    parser.add_argument("--seed", type=int, default=1, help="of arrivals and draws (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there, too")
    return parser.parse_args()


def _scenarios(text: str) -> tuple[str, ...]:
    return _names(text, tuple(SCENARIOS))


def _strategies(text: str) -> tuple[str, ...]:
    return _names(text, STRATEGIES)


def _names(text: str, known: Sequence[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    if unknown := sorted(set(names) - set(known)):
        raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}; there are {', '.join(known)}")
    return names

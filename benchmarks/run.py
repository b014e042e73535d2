"""`python -m benchmarks.run`: the provider alone, the skeleton and Model Router under the same load, interleaved."""

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from benchmarks.measurement import Measurement, measure
from benchmarks.process import StartError
from benchmarks.report import ROUTER, report
from benchmarks.stack import Stack, System
from benchmarks.usage import NoProcError
from cli.execution import raise_file_limit
from cli.redis_server import NoRedisServer

SYSTEMS = ("provider", "skeleton", "result-backend", "router")
_DEFAULT_SYSTEMS = ("provider", "skeleton", "router")


def main() -> None:
    """Read the command line, run the rounds, print the tables; exit 1 when Model Router failed a request."""
    options = _options()
    raise_file_limit()
    signal.signal(signal.SIGTERM, unwind)
    try:
        measurements = run(options)
    except (StartError, NoProcError, NoRedisServer) as error:
        raise SystemExit(f"benchmark: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    print(f"\n{machine()}\n{report(measurements)}")
    if options.json:
        rows = [measurement.to_json() for measurement in measurements]
        options.json.write_text(json.dumps({"machine": machine(), "measurements": rows}, indent=1) + "\n")
    sys.exit(any(m.summary.failed for m in measurements if m.system == ROUTER))


def run(options: argparse.Namespace) -> list[Measurement]:
    """Every round's measurements: fresh processes each round, all systems up, loaded one at a time."""
    measurements: list[Measurement] = []
    total = options.rounds * len(options.connections) * len(options.only)
    folder = Path(tempfile.mkdtemp(prefix="model-router-bench-"))
    print(f"{total} steps of about {options.warm_up + options.seconds + 0.5:.0f} s; logs in {folder}", flush=True)
    for number in range(1, options.rounds + 1):
        with Stack(folder / f"round-{number}") as stack:
            systems = _start(stack, options.only)
            for connections, system in _steps(systems, options.connections, number):
                found = measure(
                    system, connections=connections, number=number, warm_up_s=options.warm_up, seconds=options.seconds
                )
                measurements.append(found)
                print(f"[{len(measurements)}/{total}] {progress(found)}", flush=True)
        if not any(m.summary.failed for m in measurements):
            # An append-only file of a round is hundreds of megabytes; logs are kept only where they tell of a failure.
            shutil.rmtree(folder / f"round-{number}")
    if not any(folder.iterdir()):
        folder.rmdir()
    return measurements


def progress(found: Measurement) -> str:
    """A step's outcome in one line."""
    summary = found.summary
    failed = f", failed {dict(summary.errors)}" if summary.failed else ""
    where = f"round {found.round}, {found.connections} connections, {found.system}"
    return f"{where}: {summary.throughput:,.0f} requests/s, {summary.latencies()}{failed}"


def machine() -> str:
    """What the figures hold for, in one line."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def unwind(_number: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM as an exception, so that every started process is stopped on the way out."""
    raise SystemExit(143)


def _start(stack: Stack, wanted: Sequence[str]) -> list[System]:
    provider = stack.provider()
    start = {
        "provider": lambda: provider,
        "skeleton": lambda: stack.skeleton(provider),
        "result-backend": lambda: stack.skeleton(provider, result_backend=True),
        "router": lambda: stack.router(provider),
    }
    return [start[name]() for name in wanted]


def _steps(systems: Sequence[System], levels: Sequence[int], number: int) -> Iterator[tuple[int, System]]:
    """Every system at each level, one right after the other; another system is first in each round."""
    turn = (number - 1) % len(systems)
    for connections in levels:
        for system in (*systems[turn:], *systems[:turn]):
            yield connections, system


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--seconds", type=duration, default=6.0, help="measured window of each step (default 6)")
    parser.add_argument(
        "--warm-up", type=duration, default=1.5, metavar="SECONDS", help="before each window (default 1.5)"
    )
    parser.add_argument("--rounds", type=whole_number, default=3, help="fresh processes in each (default 3)")
    parser.add_argument(
        "--connections", type=whole_numbers, default=(1, 32, 256), metavar="N,N", help="(default 1,32,256)"
    )
    parser.add_argument(
        "--only", type=system_names, default=_DEFAULT_SYSTEMS, metavar="NAME,NAME", help=", ".join(SYSTEMS)
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there, too")
    return parser.parse_args()


def duration(text: str) -> float:
    """An option's seconds."""
    value = float(text)
    if not 0 < value < 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600")
    return value


def whole_number(text: str) -> int:
    """An option's count, 1 or more."""
    value = int(text)
    if not 0 < value <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 10000")
    return value


def whole_numbers(text: str) -> tuple[int, ...]:
    """Counts with commas between them."""
    return tuple(whole_number(part) for part in text.split(","))


def system_names(text: str) -> tuple[str, ...]:
    """Systems with commas between them, in the order they are loaded."""
    names = tuple(text.split(","))
    if unknown := sorted(set(names) - set(SYSTEMS)):
        raise argparse.ArgumentTypeError(f"no system {', '.join(unknown)}; there are {', '.join(SYSTEMS)}")
    return names


if __name__ == "__main__":
    main()

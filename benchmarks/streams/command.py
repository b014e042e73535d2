"""`python -m benchmarks.streams`: streams through the provider alone, LiteLLM's proxy and Model Router.

Exit code 1 when a stream through Model Router was not whole; a missed goal is printed and is no failure.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.litellm import environment
from benchmarks.litellm.environment import Environment, InstallError
from benchmarks.process import StartError
from benchmarks.report import ROUTER
from benchmarks.run import duration, machine, unwind, whole_number, whole_numbers
from benchmarks.stack import CONCURRENCY, Stack, System
from benchmarks.streams.measurement import CROWD, LATENCY, THROUGHPUT, Step, StreamMeasurement, measure
from benchmarks.streams.pace import Pace
from benchmarks.streams.report import report
from benchmarks.usage import NoProcError
from cli.execution import raise_file_limit
from cli.redis_server import NoRedisServer

PARTS = (LATENCY, THROUGHPUT, CROWD)
SPEECH = Pace(tokens=50, pause_s=0.005)
GUSH = Pace(tokens=200, pause_s=0.0)
_CROWD_PAUSE_S = 0.05
# How often a gateway that does not keep up is tried with a smaller crowd.
_MOST_TRIES = 3
# A crowd that is late is waited for this long beyond its own time.
_PATIENCE_S = 30.0

Start = Callable[[Stack, System], System]


def main() -> None:
    """Read the command line, run the parts, print their tables."""
    options = _options()
    raise_file_limit()
    signal.signal(signal.SIGTERM, unwind)
    peer = None if options.without_litellm else litellm_environment()
    try:
        found = run(options, peer)
    except (StartError, NoProcError, NoRedisServer) as error:
        raise SystemExit(f"benchmark: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    told = f"{machine()}, {f'LiteLLM {environment.version()}' if peer else 'without LiteLLM'}"
    print(f"\n{told}\n\n{report(found)}")
    if options.json:
        rows = [measurement.to_json() for measurement in found]
        options.json.write_text(json.dumps({"machine": told, "measurements": rows}, indent=1) + "\n")
    sys.exit(any(m.summary.failed for m in found if m.system == ROUTER))


def litellm_environment() -> Environment | None:
    """LiteLLM's environment; None, and a line that says so, where it can not be installed."""
    made = Environment()
    try:
        made.ensure()
    except (InstallError, OSError) as error:
        print(f"Without LiteLLM: {error}", flush=True)
        return None
    return made


def run(options: argparse.Namespace, peer: Environment | None) -> list[StreamMeasurement]:
    """The parts' measurements: closed loops in rounds, systems one after the other; then each system's crowd."""
    folder = Path(tempfile.mkdtemp(prefix="model-router-streams-"))
    print(f"logs in {folder}", flush=True)
    starts = _starts(peer, max(CONCURRENCY, options.crowd + options.crowd // 4))
    found: list[StreamMeasurement] = []
    steps = _steps(options)
    for number in range(1, options.rounds + 1 if steps else 1):
        with Stack(folder / f"round-{number}") as stack:
            provider = stack.stream_provider()
            systems = [start(stack, provider) for start in starts]
            turn = (number - 1) % len(systems)
            for step in steps:
                found += [_told(measure(system, step, number)) for system in (*systems[turn:], *systems[:turn])]
    if CROWD in options.only:
        for start in starts:
            found += _crowds(start, options, folder)
    if not any(m.summary.failed for m in found if m.system == ROUTER):
        # Logs are kept only where they may tell what went wrong.
        shutil.rmtree(folder)
    return found


def _steps(options: argparse.Namespace) -> list[Step]:
    """The closed loops that are asked for."""
    window = {"warm_up_s": options.warm_up, "seconds": options.seconds}
    latency = [Step(LATENCY, streams, SPEECH, **window) for streams in options.streams]
    throughput = [Step(THROUGHPUT, max(options.streams), GUSH, **window)]
    return [step for step in latency + throughput if step.part in options.only]


def _crowds(start: Start, options: argparse.Namespace, folder: Path) -> list[StreamMeasurement]:
    """A system's crowd; one that it can not carry is followed by a smaller one, for a gateway other than ours."""
    found: list[StreamMeasurement] = []
    streams = options.crowd
    pace = Pace(max(1, round(options.crowd_seconds / _CROWD_PAUSE_S)), _CROWD_PAUSE_S)
    while True:
        step = Step(CROWD, streams, pace, ramp_s=options.ramp, limit_s=options.ramp + pace.seconds + _PATIENCE_S)
        # Processes of its own for each: what an overload leaves behind must not be counted for the next.
        with Stack(folder / f"crowd-{len(list(folder.iterdir()))}") as stack:
            found.append(_told(measure(start(stack, stack.stream_provider()), step, 1)))
        if found[-1].kept_up or found[-1].system == ROUTER or len(found) == _MOST_TRIES:
            return found
        streams = smaller(found[-1])


def smaller(found: StreamMeasurement) -> int:
    """How many streams to try next: four fifths of what the rate that was reached is enough for, at most half."""
    enough = found.summary.rate * found.step.pace.pause_s
    return max(1, min(found.step.streams // 2, int(0.8 * enough)))


def _starts(peer: Environment | None, concurrency: int) -> Sequence[Start]:
    """How each system is started in front of a provider."""
    starts: list[Start] = [lambda _, provider: provider]
    if peer is not None:
        starts.append(lambda stack, provider: stack.litellm(provider, peer))
    starts.append(lambda stack, provider: stack.router(provider, concurrency))
    return starts


def _told(found: StreamMeasurement) -> StreamMeasurement:
    """The measurement, having printed it in one line."""
    summary = found.summary
    failed = f", failed {dict(summary.errors)}" if summary.failed else ""
    first = "no first token" if summary.ttft_p50_ms is None else f"first token p50 {summary.ttft_p50_ms:,.1f} ms"
    where = f"round {found.round}, {found.step.part} at {found.step.streams}, {found.system}"
    print(f"{where}: {summary.streams} streams, {summary.rate:,.0f} chunks/s, {first}{failed}", flush=True)
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams", description=__doc__)
    parser.add_argument("--only", type=_parts, default=PARTS, metavar="PART,PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=whole_number, default=3, help="of closed loops (default 3)")
    parser.add_argument("--seconds", type=duration, default=4.0, help="measured window of each step (default 4)")
    parser.add_argument(
        "--warm-up", type=duration, default=1.5, metavar="SECONDS", help="before each window (default 1.5)"
    )
    parser.add_argument("--streams", type=whole_numbers, default=(1, 32), metavar="N,N", help="at once (default 1,32)")
    parser.add_argument("--crowd", type=whole_number, default=1000, help="streams of the crowd (default 1000)")
    parser.add_argument(
        "--crowd-seconds", type=duration, default=20.0, metavar="SECONDS", help="each one's length (default 20)"
    )
    parser.add_argument("--ramp", type=duration, default=5.0, metavar="SECONDS", help="in which it begins (default 5)")
    parser.add_argument("--without-litellm", action="store_true", help="leave LiteLLM out, and do not install it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there, too")
    return parser.parse_args()


def _parts(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := sorted(set(names) - set(PARTS)):
        raise argparse.ArgumentTypeError(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return names

"""`make bench-batch`: the rate of a batch, what it takes, and what others feel of it.

Exit code 1 when a line was not answered once. A missed goal is printed.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.batches.client import BatchClient
from benchmarks.folder import add_tenant
from benchmarks.measurement import measure
from benchmarks.process import ROOT, python
from benchmarks.request import KEY
from benchmarks.run import duration, whole_number
from benchmarks.stack import CONCURRENCY, Stack, System
from benchmarks.waiting import provider_counts

# At least this part of bare Celery's rate; interactive calls at most this much later at the 99th percentile.
LEAST_RATE, MOST_LATER = 0.6, 1.2
SMALL = "sk-bench-small"
_SMALL_LINES = 50


def main() -> None:
    """Read the command line, run the parts, print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batches", description=__doc__)
    parser.add_argument("--lines", type=int, default=5000, help="of a batch (default 5000)")
    parser.add_argument("--rounds", type=whole_number, default=3, help="of the rate (default 3)")
    parser.add_argument("--seconds", type=duration, default=15.0, help="of interactive calls (default 15)")
    parser.add_argument("--big", type=int, default=50_000, help="lines of that beside them (default 50000)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="model-router-batch-"))
    print(f"{options.lines} lines; logs in {folder}", flush=True)
    rates: dict[str, list[float]] = {}
    for number in range(1, options.rounds + 1):
        for name, rate in _rates(folder / f"round-{number}", options.lines).items():
            rates.setdefault(name, []).append(rate)
    for name, found in rates.items():
        print(f"{name}: {median(found):,.0f} lines/s ({min(found):,.0f} to {max(found):,.0f})")
    of_celery = median(batch / bare for batch, bare in zip(rates["model router"], rates["celery"], strict=True))
    _goal("lines/s, model router / bare celery, goal >= 0.6", of_celery, met=of_celery >= LEAST_RATE)
    _beside(folder / "beside", options.seconds, options.big)
    shutil.rmtree(folder)


def _rates(folder: Path, lines: int) -> dict[str, float]:
    """Lines per second of each system, one after the other, on fresh processes."""
    with Stack(folder) as stack:
        provider = stack.provider()
        found = {"script": _script(provider, lines), "celery": _celery(stack.skeleton(provider), provider, lines)}
        router = stack.router(provider)
        client = BatchClient(router.port, KEY)
        batch_id = client.create(lines)
        before = provider_counts(provider.port)["calls"]
        client.wait_for(batch_id, "in_progress")
        used, begun = router.usage(), time.monotonic()
        batch = client.wait_for(batch_id)
        took_s = time.monotonic() - begun
        _tell_cpu("model router", used.cpu_s, router.usage().cpu_s, lines)
        calls = provider_counts(provider.port)["calls"] - before
        if batch["request_counts"]["completed"] != lines or calls != lines:
            sys.exit(f"not met: {batch['request_counts']} of {lines} lines, {calls} calls")
        return {**found, "model router": lines / took_s}


def _script(provider: System, lines: int) -> float:
    begun = time.monotonic()
    argv = python("-m", "benchmarks.batches.script", "--port", str(provider.port), "--lines", str(lines))
    subprocess.run([*argv, "--pool", str(CONCURRENCY)], cwd=ROOT, check=True)
    return lines / (time.monotonic() - begun)


def _celery(skeleton: System, provider: System, lines: int) -> float:
    """From the first task published to the last answer; the publisher is a process of its own."""
    before = provider_counts(provider.port)["calls"]
    used, begun = skeleton.usage(), time.monotonic()
    argv = python("-m", "benchmarks.batches.publish", "--lines", str(lines))
    environ = {"CELERY_BROKER_URL": f"redis://127.0.0.1:{skeleton.store_port}/0"}
    with subprocess.Popen(argv, cwd=ROOT, env=_environ(environ)):
        while provider_counts(provider.port)["calls"] - before < lines:
            time.sleep(0.02)
    took_s = time.monotonic() - begun
    _tell_cpu("celery, without its publisher", used.cpu_s, skeleton.usage().cpu_s, lines)
    return lines / took_s


def _beside(folder: Path, seconds: float, lines: int) -> None:
    """Interactive calls of 0.3 s alone and beside a large batch; a small tenant's batch beside it."""
    with Stack(folder) as stack:
        provider = stack.provider(0.3)
        router = stack.router(provider)
        add_tenant(folder / "router" / "config", "small", SMALL)
        alone = measure(router, connections=8, number=1, warm_up_s=2, seconds=seconds).summary
        big, small = BatchClient(router.port, KEY), BatchClient(router.port, SMALL)
        batch_id = big.create(lines)
        big.wait_for(batch_id, "in_progress")
        before = big.wait_for(batch_id, "in_progress")["request_counts"]["completed"]
        begun = time.monotonic()
        beside = measure(router, connections=8, number=1, warm_up_s=2, seconds=seconds).summary
        rate = (big.wait_for(batch_id, "in_progress")["request_counts"]["completed"] - before) / (
            time.monotonic() - begun
        )
        print(f"interactive, alone: {alone.latencies()}")
        print(f"interactive, beside a batch at {rate:,.0f} lines/s: {beside.latencies()}")
        if alone.p99_ms and beside.p99_ms:
            later = beside.p99_ms / alone.p99_ms
            _goal("interactive p99, beside / alone, goal <= 1.2", later, met=later <= MOST_LATER)
        begun = time.monotonic()
        small.wait_for(small.create(_SMALL_LINES))
        print(f"{_SMALL_LINES} lines of another tenant that came later: {time.monotonic() - begun:.1f} s")
        big.cancel(batch_id)


def _tell_cpu(name: str, before: Mapping[str, float], after: Mapping[str, float], lines: int) -> None:
    each = {role: (after[role] - before.get(role, 0.0)) * 1000 / lines for role in after}
    print(f"{name}, CPU ms/line: {json.dumps({role: round(ms, 2) for role, ms in each.items()})}", flush=True)


def _environ(more: Mapping[str, str]) -> dict[str, str]:
    import os  # noqa: PLC0415

    return {**os.environ, **more}


def _goal(what: str, figure: float, *, met: bool) -> None:
    print(f"{what}: {figure:.2f}: {'reached' if met else 'missed'}", flush=True)


if __name__ == "__main__":
    main()

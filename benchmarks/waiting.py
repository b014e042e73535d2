"""`python -m benchmarks.waiting`: many calls at once through Model Router, on a provider that takes seconds for each.

Exit code 1 when an answer is missing, later than the bound, or paid for twice.
"""

import argparse
import http.client
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measurement import expect, next_line
from benchmarks.process import ROOT, StartError, python
from benchmarks.run import duration, unwind, whole_number
from benchmarks.stack import Stack
from benchmarks.summary import Summary
from benchmarks.usage import NoProcError
from cli.execution import raise_file_limit
from cli.redis_server import NoRedisServer


def main() -> None:
    """Read the command line, send the burst, print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waiting", description=__doc__)
    parser.add_argument("--requests", type=whole_number, default=2000, help="sent at once (default 2000)")
    parser.add_argument("--latency", type=duration, default=5.0, metavar="SECONDS", help="of the provider (default 5)")
    parser.add_argument(
        "--bound", type=duration, default=7.0, metavar="SECONDS", help="no answer may take longer (default 7)"
    )
    options = parser.parse_args()
    raise_file_limit()
    signal.signal(signal.SIGTERM, unwind)
    try:
        problems = run(options.requests, options.latency, options.bound)
    except (StartError, NoProcError, NoRedisServer) as error:
        raise SystemExit(f"benchmark: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    for problem in problems:
        print(f"not met: {problem}")
    sys.exit(bool(problems))


def run(requests: int, latency_s: float, bound_s: float) -> list[str]:
    """Send the burst through a fresh stack; what was not met, in words."""
    folder = Path(tempfile.mkdtemp(prefix="model-router-waiting-"))
    print(f"{requests} calls at once, provider of {latency_s:g} s; logs in {folder}", flush=True)
    with Stack(folder) as stack:
        provider = stack.provider(latency_s)
        # Room for all of them at once: a smaller number would be a queue of its own.
        router = stack.router(provider, concurrency=requests + requests // 4)
        calls_before = provider_counts(provider.port)["calls"]
        used = router.usage()
        summary, begun_at = _burst(router.port, requests, limit_s=bound_s + 60)
        used_after = router.usage()
        counts = provider_counts(provider.port)
    calls = counts["calls"] - calls_before
    print(f"answered {summary.requests}, failed {dict(summary.errors) or 0}")
    print(summary.latencies())
    print(
        f"provider: {calls} calls, at most {counts['most_at_once']} at once, "
        f"the last one {counts['last_call_at'] - begun_at:.2f} s after the start"
    )
    for role, cpu_s in used_after.cpu_s.items():
        print(f"{role}: {cpu_s - used.cpu_s[role]:.2f} CPU s, {used_after.rss_bytes[role] / 2**20:.0f} MiB")
    problems = unmet(summary, requests, calls, bound_s)
    if not problems:
        # Logs are kept only where they may tell what went wrong.
        shutil.rmtree(folder)
    return problems


def unmet(summary: Summary, requests: int, calls: int, bound_s: float) -> list[str]:
    """What a burst of `requests` that cost `calls` provider calls did not meet."""
    problems = []
    if summary.requests != requests:
        problems.append(f"{requests - summary.requests} of {requests} have no good answer")
    if summary.max_ms is not None and summary.max_ms > bound_s * 1000:
        problems.append(f"the slowest took {summary.max_ms / 1000:.2f} s, more than {bound_s:g} s")
    if calls != requests:
        problems.append(f"the provider was called {calls} times for {requests} requests")
    return problems


def provider_counts(port: int) -> dict[str, Any]:
    """The benchmark provider's own count of calls."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/calls")
        counts: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return counts


def _burst(port: int, requests: int, limit_s: float) -> tuple[Summary, float]:
    """The burst's summary, and when it began (the machine's monotonic clock)."""
    argv = python("-m", "benchmarks.load", "--port", str(port), "--burst", str(requests), "--limit", str(limit_s))
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as load:
        try:
            expect(load, "begin")
            begun_at = time.monotonic()
            expect(load, "end")
            return Summary(**json.loads(next_line(load))), begun_at
        except BaseException:
            load.kill()
            raise


if __name__ == "__main__":
    main()

"""`make bench-faults`: a batch over three providers while every part is killed once.

One of the providers dies and comes back, one has a strict limit. Exit code 1 when a line was not answered exactly once,
when a webhook is missing, or when over 1 % of the calls were wasted.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import redis
import requests

from benchmarks.batches.client import BatchClient
from benchmarks.faults.jobs import Jobs
from benchmarks.faults.receiver import Receiver
from benchmarks.faults.scene import NAME, Scene, conditions
from benchmarks.faults.verdict import Result, problems
from benchmarks.process import StartError
from benchmarks.request import KEY
from benchmarks.routing.folder import KEY_VARIABLE, write_scenario_configuration
from benchmarks.routing.wire import Endpoint
from benchmarks.run import unwind, whole_number
from benchmarks.stack import Stack
from cli.execution import raise_file_limit
from cli.redis_server import NoRedisServer

# Between two looks at the batch; between two jobs beside it.
_LOOK_S, _JOB_S = 0.2, 0.2


def main() -> None:
    """Read the command line, run the batch, print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--lines", type=whole_number, default=50_000, help="of the batch (default 50000)")
    parser.add_argument(
        "--limit", type=float, default=900.0, metavar="SECONDS", help="it must have ended by then (900)"
    )
    options = parser.parse_args()
    raise_file_limit()
    signal.signal(signal.SIGTERM, unwind)
    folder = Path(tempfile.mkdtemp(prefix="model-router-faults-"))
    print(f"{options.lines} lines; logs in {folder}", flush=True)
    try:
        result = run(folder, options.lines, options.limit)
    except (StartError, NoRedisServer, TimeoutError) as error:
        raise SystemExit(f"benchmark: {error}") from None
    found = problems(result)
    print(
        f"{len(set(result.answered))} of {result.lines} lines answered, {len(result.jobs)} jobs beside them, "
        f"{sum(result.webhooks.values())} webhooks; {result.wasted} of {result.calls} calls wasted"
    )
    for problem in found:
        print(f"not met: {problem}")
    if not found:
        shutil.rmtree(folder)
    sys.exit(bool(found))


def run(folder: Path, lines: int, limit_s: float) -> Result:
    """One batch on fresh processes, to its end; TimeoutError when that does not come."""
    with Stack(folder) as stack, Receiver() as receiver:
        sandbox = stack.sandbox()
        control = Endpoint(sandbox.port)
        providers = conditions()
        write_scenario_configuration(folder / "router" / "config", NAME, sandbox.port, providers, "balanced")
        environ = {KEY_VARIABLE: "any", "MODEL_ROUTER_WEBHOOK_ALLOW_PRIVATE": "1"}
        product = stack.product(folder / "router", tuple(providers), environ)
        scene = Scene(stack, product, control)
        for provider in providers:
            scene.behave(provider)
        control.forget_calls()
        client = BatchClient(product.port, KEY)
        begun = time.monotonic()
        batch_id = client.create(lines, webhook_url=receiver.url)
        with Jobs(product.port, receiver.url, _JOB_S) as jobs:
            batch = _follow(client, batch_id, scene, lines, begun + limit_s)
        took_s = time.monotonic() - begun
        print(f"ended after {took_s:.0f} s, {lines / took_s:,.0f} lines/s", flush=True)
        _wait_for_webhooks(receiver, {*jobs.accepted, batch_id}, 120.0)
        with redis.Redis(port=product.store_port or 0) as store:
            left = int(store.zcard("mr:schedule"))  # type: ignore[arg-type]
            print(f"Redis, all records of jobs beside it included: {store.info('memory')['used_memory_human']}")  # type: ignore[index]
        return Result(
            lines=lines,
            status=batch["status"],
            request_counts=batch["request_counts"],
            answered=[json.loads(line)["custom_id"] for line in client.content(batch["output_file_id"])],
            calls=sum(control.calls().values()),
            jobs=jobs.accepted,
            refused=jobs.refused,
            webhooks=receiver.told,
            batch_id=batch_id,
            left=left,
        )


def _follow(client: BatchClient, batch_id: str, scene: Scene, lines: int, until: float) -> dict[str, Any]:
    """Look at the batch until it has ended, and have happen what is to happen."""
    events = scene.events()
    begun = time.monotonic()
    while time.monotonic() < until:
        time.sleep(_LOOK_S)
        try:
            batch = client.read(batch_id)
        except requests.RequestException:
            # A part is dead at this moment.
            continue
        if batch["status"] in ("completed", "failed", "expired", "cancelled"):
            return batch
        while events and batch["request_counts"]["completed"] >= events[0].at * lines:
            event = events.pop(0)
            print(
                f"{time.monotonic() - begun:6.1f} s, {batch['request_counts']['completed']}: {event.what}", flush=True
            )
            event.happen()
    raise TimeoutError(f"{batch_id} has not ended: {client.read(batch_id)}")


def _wait_for_webhooks(receiver: Receiver, wanted: set[str], limit_s: float) -> None:
    give_up_at = time.monotonic() + limit_s
    while not wanted <= set(receiver.told) and time.monotonic() < give_up_at:
        time.sleep(_LOOK_S)


if __name__ == "__main__":
    main()

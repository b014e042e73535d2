"""`python -m benchmarks.planning`: what one plan() costs, and its share of all the CPU that a request takes.

Exit code 1 when a plan of 20 candidates takes 100 µs or more.
"""

import argparse
import gc
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import median

from benchmarks.measurement import measure
from benchmarks.process import StartError
from benchmarks.report import table
from benchmarks.run import duration, machine, unwind
from benchmarks.stack import Stack
from benchmarks.usage import NoProcError
from cli.execution import raise_file_limit
from cli.redis_server import NoRedisServer
from config.configuration import Configuration
from config.policy import DEFAULT_WEIGHTS, PolicyConfig
from config.provider import Price, ProviderConfig, ProviderModel
from config.tenant import Tenant
from routing.breaker import Breaker
from routing.catalogue import Catalogue
from routing.health import Health
from routing.plan import Plan
from routing.planner import plan
from routing.request import RoutingRequest
from routing.snapshot import Snapshot

SIZES = (1, 3, 20)
GOAL_SIZE, GOAL_US = 20, 100.0
_NOW = 1_790_000_000.0
_BATCH = 50
_BATCHES = 200
_CONNECTIONS = 32
# Everything that belongs to the product; the benchmark's own provider does not.
_ROLES = ("api", "worker", "background", "redis")


@dataclass(frozen=True, slots=True)
class PlanCost:
    """The time of one plan over so many candidates: the quickest batch's mean and the middle one's, in µs."""

    candidates: int
    least_us: float
    median_us: float

    @property
    def line(self) -> str:
        """Whether the goal is reached, in one line."""
        verdict = "reached" if self.least_us < GOAL_US else "NOT reached"
        return f"goal plan of {self.candidates} candidates < {GOAL_US:.0f} µs: {self.least_us:.1f} µs: {verdict}"


def planning(candidates: int) -> Callable[[], Plan]:
    """A plan() of so many candidates, all with prices, recorded health, speed and breakers; ready to be called."""
    names = [f"provider-{number:02d}" for number in range(candidates)]
    rows = {name: _provider(name, number) for number, name in enumerate(names)}
    aliases = {"any": tuple(f"{name}/m" for name in names)}
    catalogue = Catalogue.build(Configuration(rows, aliases, {}, {}, sandbox=False))
    health = {f"{name}/m": _health(number) for number, name in enumerate(names)}
    breakers = {name: Breaker() for provider in names for name in (provider, f"{provider}/m")}
    snapshot = Snapshot(health, _NOW, breakers)
    tenant = Tenant("bench", providers=frozenset(names))
    policy = PolicyConfig("balanced", "balanced", DEFAULT_WEIGHTS["balanced"], min_uptime=0.9)
    request = RoutingRequest("any", prompt_tokens=200, max_tokens=500)
    rng = Random(1)
    return lambda: plan(request, tenant, policy, catalogue, snapshot, _NOW, rng)


def cost(candidates: int, batches: int = _BATCHES) -> PlanCost:
    """Time it. The quickest batch is what planning takes; the others were disturbed by what else the machine does."""
    call = planning(candidates)
    call()
    gc.collect()
    gc.disable()
    try:
        spent = [_batch_us(call) for _ in range(batches)]
    finally:
        gc.enable()
    return PlanCost(candidates, min(spent), median(spent))


def request_cpu_us(seconds: float) -> float:
    """CPU of all the product's processes per request, in µs: a short run of the load that `make bench` has."""
    folder = Path(tempfile.mkdtemp(prefix="model-router-plan-"))
    with Stack(folder) as stack:
        router = stack.router(stack.provider())
        found = measure(router, connections=_CONNECTIONS, number=1, warm_up_s=1.0, seconds=seconds)
    shutil.rmtree(folder)
    return sum(found.cpu_ms.get(role, 0.0) for role in _ROLES) * 1000


def report(costs: Mapping[int, PlanCost], cpu_us: float | None) -> str:
    """The table and the goal line."""
    rows = [["plan() of", "µs", "median µs", "share of a request's CPU"]]
    for found in costs.values():
        share = "-" if not cpu_us else f"{found.least_us / cpu_us * 100:.1f} %"
        rows.append([f"{found.candidates} candidates", f"{found.least_us:.1f}", f"{found.median_us:.1f}", share])
    whole = [] if cpu_us is None else [f"a request's CPU, all processes, {_CONNECTIONS} connections: {cpu_us:.0f} µs"]
    goal = [costs[GOAL_SIZE].line] if GOAL_SIZE in costs else []
    return "\n".join([table(rows), *whole, *goal])


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning", description=__doc__)
    parser.add_argument("--seconds", type=duration, default=4.0, help="of load for a request's CPU (default 4)")
    parser.add_argument("--plan-only", action="store_true", help="time plan() alone, without starting the product")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    options = parser.parse_args()
    raise_file_limit()
    signal.signal(signal.SIGTERM, unwind)
    costs = {size: cost(size) for size in SIZES}
    try:
        cpu_us = None if options.plan_only else request_cpu_us(options.seconds)
    except (StartError, NoProcError, NoRedisServer) as error:
        raise SystemExit(f"benchmark: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    print(f"{machine()}\n\n{report(costs, cpu_us)}")
    if options.json:
        told = {"machine": machine(), "request_cpu_us": cpu_us, "plans": [asdict(found) for found in costs.values()]}
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    sys.exit(costs[GOAL_SIZE].least_us >= GOAL_US)


def _batch_us(call: Callable[[], Plan]) -> float:
    began = time.perf_counter()
    for _ in range(_BATCH):
        call()
    return (time.perf_counter() - began) / _BATCH * 1e6


def _provider(name: str, number: int) -> ProviderConfig:
    # Near enough to each other that some are drawn by lot, as in a fleet of equals.
    price = Price(Decimal("0.10") + Decimal(number) / 1000, Decimal("0.50") + Decimal(number) / 1000)
    model = ProviderModel(price, 131_072, frozenset({"chat", "tools"}))
    endpoint = "https://provider.invalid/v1"
    return ProviderConfig(name=name, type="openai", endpoint=endpoint, models={"m": model}, usable=True)


def _health(number: int) -> Health:
    """Twenty good calls of different lengths, a second apart."""
    known = Health()
    for call in range(20):
        known = known.after(True, 200.0 + 5 * number, 60.0 + 10 * (call % 3), _NOW - 20 + call)  # noqa: FBT003 - as the ledger has it
    return known


if __name__ == "__main__":
    main()

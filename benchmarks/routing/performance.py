"""One scenario, performed: every strategy meets the same requests at the same moments on the same machine."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import gevent

from benchmarks.routing.answer import Answer, Outcome
from benchmarks.routing.arrivals import poisson
from benchmarks.routing.director import Director
from benchmarks.routing.figures import Figures, figures
from benchmarks.routing.folder import KEY_VARIABLE, account, write_scenario_configuration
from benchmarks.routing.gateway import Gateway
from benchmarks.routing.goals import BUSY_MS, ORACLE, PROBE_INTERVAL_S, ROUTER, Goal, goals
from benchmarks.routing.oracle import Oracle
from benchmarks.routing.priority_list import PriorityList
from benchmarks.routing.scenario import Scenario
from benchmarks.routing.shuffle import Shuffle
from benchmarks.routing.strategy import Strategy, direct, unanswered
from benchmarks.routing.wire import PATIENCE_S, Endpoint
from benchmarks.stack import Stack, System
from benchmarks.summary import percentile

STRATEGIES = (ROUTER, "static-list", "litellm-shuffle", ORACLE)
_PROGRESS_S = 10.0


@dataclass(frozen=True, slots=True)
class Load:
    """How many requests a second come on average, and the seed of their moments and of the strategies' draws."""

    rate: float
    seed: int


@dataclass(frozen=True, slots=True)
class Performance:
    """A scenario with each strategy's figures and the goals they were held to.

    `late_ms` is the 95th percentile of how late requests were sent: what the machine had no time for.
    """

    scenario: Scenario
    found: Mapping[str, Figures]
    goals: Sequence[Goal]
    late_ms: float = 0.0

    @property
    def disturbed(self) -> bool:
        """Whether the machine was too busy for latencies to mean anything."""
        return self.late_ms > BUSY_MS


def perform(scenario: Scenario, names: Sequence[str], load: Load, folder: Path) -> Performance:
    """Start fresh processes, run the scenario through all strategies at once, and stop the processes."""
    with Stack(folder) as stack:
        sandbox = stack.sandbox()
        control = Endpoint(sandbox.port)
        configuration = folder / "router" / "config" if ROUTER in names else None
        director = Director(scenario, control, sandbox.port, names, configuration)
        director.open()
        strategies = {name: _strategy(name, control, scenario, load.seed) for name in names if name != ROUTER}
        processes = [*sandbox.processes]
        if configuration is not None:
            product = _product(stack, configuration, scenario, sandbox.port)
            processes += product.processes
            strategies[ROUTER] = Gateway(Endpoint(product.port))
        control.forget_calls()
        stage = _Stage(scenario, strategies, director, load)
        answers = stage.run()
        for process in processes:
            process.check()
        counts = control.calls()
    calls = {name: sum(counts.get(account(name, provider), 0) for provider in scenario.start) for name in names}
    found = {name: figures(scenario, answers[name], calls[name]) for name in names}
    late_ms = percentile(sorted(stage.late_ms), 95) or 0.0
    return Performance(scenario, found, goals(scenario, found, late_ms), late_ms)


def _product(stack: Stack, configuration: Path, scenario: Scenario, sandbox_port: int) -> System:
    write_scenario_configuration(configuration, ROUTER, sandbox_port, scenario.start, scenario.policy)
    environ = {KEY_VARIABLE: "any", "HEALTH_CHECK_INTERVAL": f"{PROBE_INTERVAL_S * 1000:.0f}"}
    return stack.product(configuration.parent, tuple(scenario.start), environ)


def _strategy(name: str, sandbox: Endpoint, scenario: Scenario, seed: int) -> Strategy:
    call = direct(sandbox, name)
    match name:
        case "static-list":
            return PriorityList(call, tuple(scenario.start))
        case "litellm-shuffle":
            return Shuffle(call, tuple(scenario.start), Random(seed))
        case _:
            return Oracle(call, scenario)


class _Stage:
    """Sends every request through every strategy when it is due, and keeps what came of it."""

    def __init__(self, scenario: Scenario, strategies: Mapping[str, Strategy], director: Director, load: Load) -> None:
        self._scenario = scenario
        self._strategies = strategies
        self._director = director
        self._arrivals = poisson(load.rate, scenario.seconds, load.seed)
        self._answers: dict[str, list[Answer]] = {name: [] for name in strategies}
        self._begin = 0.0
        self.late_ms: list[float] = []

    def run(self) -> Mapping[str, Sequence[Answer]]:
        """All answers by strategy, in no order; every request has one, if only that nothing came."""
        self._begin = time.monotonic() + 0.2
        helpers = [gevent.spawn(self._direct), gevent.spawn(self._tell)]
        sent = []
        names = list(self._strategies)
        for number, due_s in enumerate(self._arrivals):
            self._sleep_until(due_s)
            # Another one is first each time: they share a process, and the first is a little better off.
            turn = number % len(names)
            sent += [gevent.spawn(self._send, name, number, due_s) for name in (*names[turn:], *names[:turn])]
        gevent.joinall(sent, timeout=PATIENCE_S + 5)
        gevent.killall(helpers[1:])
        # A step that failed makes the whole scenario worthless: it is raised here.
        helpers[0].get(timeout=5)
        for answers in self._answers.values():
            ended = {answer.due_s for answer in answers}
            lost = [due_s for due_s in self._arrivals if due_s not in ended]
            answers += [Answer(due_s, PATIENCE_S * 1000, unanswered(0, "no end")) for due_s in lost]
        return self._answers

    def _send(self, name: str, number: int, due_s: float) -> None:
        self.late_ms.append((time.monotonic() - self._begin - due_s) * 1000)
        outcome = self._strategies[name].send(number, due_s)
        # From the moment it came due, not from when this process got to it: waiting to be sent is waiting.
        latency_ms = (time.monotonic() - self._begin - due_s) * 1000
        self._answers[name].append(Answer(due_s, latency_ms, outcome, self._cost(outcome, due_s)))

    def _cost(self, outcome: Outcome, due_s: float) -> float:
        """Micro-dollars: a price in USD per million tokens is micro-dollars per token."""
        if outcome.provider is None:
            return 0.0
        price = self._scenario.at(due_s)[outcome.provider].price
        return outcome.prompt_tokens * price.input + outcome.completion_tokens * price.output

    def _direct(self) -> None:
        while (due_s := self._director.due_s()) is not None:
            self._sleep_until(due_s)
            print(f"    {due_s:3.0f} s  {self._director.step()}", flush=True)

    def _tell(self) -> None:
        """Say every few seconds how far it is."""
        while True:
            gevent.sleep(_PROGRESS_S)
            now_s = time.monotonic() - self._begin
            told = [f"{name} {sum(a.good for a in answers)}" for name, answers in self._answers.items()]
            print(f"    {now_s:3.0f} s  answered: {', '.join(told)}", flush=True)

    def _sleep_until(self, second: float) -> None:
        gevent.sleep(max(0.0, self._begin + second - time.monotonic()))

"""Carries out a scenario's timeline while load runs: behaviours at the sandbox, prices in the product's folder."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.routing.folder import account, write_providers
from benchmarks.routing.goals import ROUTER
from benchmarks.routing.scenario import Scenario
from benchmarks.routing.wire import Endpoint


class Director:
    """Sets the stage for every strategy alike. `configuration` is the product's folder, None where it does not run."""

    def __init__(
        self,
        scenario: Scenario,
        sandbox: Endpoint,
        sandbox_port: int,
        strategies: Sequence[str],
        configuration: Path | None,
    ) -> None:
        self._scenario = scenario
        self._sandbox = sandbox
        self._sandbox_port = sandbox_port
        self._strategies = tuple(strategies)
        self._configuration = configuration
        self._left = list(scenario.steps)

    def open(self) -> None:
        """Have every provider stand as at the start."""
        for provider, condition in self._scenario.start.items():
            for strategy in self._strategies:
                self._sandbox.behave(account(strategy, provider), condition.behaviour())

    def due_s(self) -> float | None:
        """When the next step is due; None: there is none."""
        return self._left[0].at_s if self._left else None

    def step(self) -> str:
        """Carry out the next step for every strategy; what changed, in words."""
        step = self._left.pop(0)
        before = self._scenario.at(step.at_s - 1e-6)[step.provider]
        after = step.condition
        if before.price != after.price and self._configuration is not None:
            write_providers(self._configuration, ROUTER, self._sandbox_port, self._scenario.at(step.at_s))
        told = after.behaviour()
        if told != before.behaviour():
            for strategy in self._strategies:
                self._sandbox.behave(account(strategy, step.provider), told)
        shown = {name: value for name, value in told.items() if name != "text"}
        return f"{step.provider}: {shown}, USD {after.price.input:g}/{after.price.output:g} per million tokens"

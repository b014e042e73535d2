"""What a strategy is, and how those without a gateway call a provider."""

from collections.abc import Callable
from typing import Protocol

from benchmarks.routing.answer import Outcome
from benchmarks.routing.folder import UPSTREAM_MODEL, account
from benchmarks.routing.wire import Endpoint, Reply

# Calls a provider, by name, with the request of this number.
Call = Callable[[str, int], Reply]


class Strategy(Protocol):
    """A way to have requests answered. Called from many greenlets at once; `second` is since the scenario's start."""

    def send(self, number: int, second: float) -> Outcome:
        """Have the request answered, or say that it was not."""


def direct(sandbox: Endpoint, strategy: str) -> Call:
    """Calls at the sandbox itself, without a gateway."""

    def call(provider: str, number: int) -> Reply:
        return sandbox.chat(f"/{account(strategy, provider)}/v1/chat/completions", UPSTREAM_MODEL, number)

    return call


def answered(provider: str, reply: Reply, calls: int) -> Outcome:
    """The outcome of a good reply."""
    prompt, completion = reply.tokens
    return Outcome(provider, calls, prompt, completion)


def unanswered(calls: int, problem: str) -> Outcome:
    """The outcome of a request that nobody answered."""
    return Outcome(None, calls, problem=problem)

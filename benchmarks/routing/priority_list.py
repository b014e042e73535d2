"""The static priority list: each request tries the providers in one order, and nothing is remembered."""

from collections.abc import Sequence

from benchmarks.routing.answer import Outcome
from benchmarks.routing.strategy import Call, answered, unanswered


class PriorityList:
    """The first that answers, in the operator's order."""

    def __init__(self, call: Call, providers: Sequence[str]) -> None:
        self._call = call
        self._providers = tuple(providers)

    def send(self, number: int, second: float) -> Outcome:  # noqa: ARG002 - it looks at nothing but its list
        """One call to each until one answers."""
        problem = ""
        for calls, provider in enumerate(self._providers, start=1):
            reply = self._call(provider, number)
            if reply.good:
                return answered(provider, reply, calls)
            problem = f"{reply.status} of the last one"
        return unanswered(len(self._providers), problem)

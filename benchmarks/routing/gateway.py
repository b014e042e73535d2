"""The product itself as a strategy: each request goes to its API, and its answer tells how it was routed."""

from benchmarks.request import MODEL
from benchmarks.routing.answer import Outcome
from benchmarks.routing.strategy import unanswered
from benchmarks.routing.wire import Endpoint, Reply


class Gateway:
    """Model Router as it ships, by its own HTTP."""

    def __init__(self, api: Endpoint) -> None:
        self._api = api

    def send(self, number: int, second: float) -> Outcome:  # noqa: ARG002 - the gateway knows no timeline
        """Wait for the completion; who answered is the last of `routing_metadata.attempts`."""
        return outcome_of(self._api.chat("/v1/chat/completions", MODEL, number))


def outcome_of(reply: Reply) -> Outcome:
    """What the gateway's reply says."""
    story = reply.body.get("routing_metadata") or {}
    attempts = story.get("attempts") or []
    if not reply.good or not attempts:
        code = (reply.body.get("error") or {}).get("code") or "no answer"
        return unanswered(len(attempts), f"{reply.status} {code}")
    prompt, completion = reply.tokens
    took_ms = story["api_processing_time"]
    return Outcome(attempts[-1]["provider"], len(attempts), prompt, completion, calls_ms=took_ms)

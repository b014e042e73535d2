"""What an OpenAI-compatible vendor's own Responses endpoint answers. Format: OpenAI's API reference for responses."""

import time
from typing import Any

from routing.errors import MalformedAnswer
from routing.job import Usage
from workers.providers.base import Account, Completion, Reply
from workers.providers.completion import counted
from workers.providers.openai_answer import hidden_error
from workers.providers.reader import count, mapping, text

# How an answer ends; the second of them was cut, and says why.
_ENDED = frozenset({"completed", "incomplete"})
_FAILED = frozenset({"failed", "cancelled"})


def completion_from(account: Account, model: str, reply: Reply) -> Completion:
    """The `response` of a 2xx answer; MalformedAnswer, or the error a vendor wrote into its 200."""
    return settled(account, model, reply, reply.json_object())


def settled(account: Account, model: str, reply: Reply, body: dict[str, Any]) -> Completion:
    """A completion of `body`, a `response` that has ended, what is read of it made sure of.

    Raises the error that a failed one tells, and MalformedAnswer.
    """
    status = text(body.get("status"))
    if status in _FAILED or (body.get("error") and status not in _ENDED):
        raise hidden_error(account, reply, body if body.get("error") else {"error": {"code": status}})
    output = body.get("output")
    if not isinstance(output, list) or not all(isinstance(item, dict) and text(item.get("type")) for item in output):
        raise MalformedAnswer(f"{account.name} answered without a list of items", upstream_status=reply.status)
    if status not in _ENDED:
        raise MalformedAnswer(
            f"{account.name} answered with a response that has not ended", upstream_status=reply.status
        )
    counts, usage = usage_of(mapping(body.get("usage")))
    told = {
        **body,
        "object": "response",
        "created_at": count(body.get("created_at")) or int(time.time()),
        "model": text(body.get("model")) or model,
        "usage": usage,
    }
    return Completion(told, counts)


def usage_of(usage: dict[str, Any]) -> tuple[Usage, dict[str, Any]]:
    """The usage as counted, and as the caller is shown it: the vendor's own object with the counts made sure of."""
    read, wrote = mapping(usage.get("input_tokens_details")), mapping(usage.get("output_tokens_details"))
    counts = counted(
        prompt=count(usage.get("input_tokens")),
        completion=count(usage.get("output_tokens")),
        cached=count(read.get("cached_tokens")),
        reasoning=count(wrote.get("reasoning_tokens")),
    )
    shown = {
        **usage,
        "input_tokens": counts.prompt_tokens,
        "input_tokens_details": {
            **read,
            "cached_tokens": counts.cached_tokens,
            "cache_write_tokens": count(read.get("cache_write_tokens")),
        },
        "output_tokens": counts.completion_tokens,
        "output_tokens_details": {**wrote, "reasoning_tokens": counts.reasoning_tokens},
        "total_tokens": counts.prompt_tokens + counts.completion_tokens,
    }
    return counts, shown

"""OpenAI's response object, its items and the page of what it was made of.

Source: OpenAI's API reference for responses; `extra_content` and `reasoning_details` are what providers want back.
"""

from typing import Any

from api.openapi.routing_shapes import ROUTING_METADATA
from api.openapi.shape import Shape, anything, either, flag, listing, mapping, maybe, number, record, text, whole, word


def other(about: str, *known: str, **told: Any) -> dict[str, Any]:
    """What only a provider's own Responses endpoint says, which is passed on; its type is none of those `known`."""
    kind = {"type": "string", "not": {"enum": list(known)}}
    return record(about, {"type": kind, **told}, passes=True)


_EXTRA = mapping("What the provider wants back with it.", anything())
_ITEM_STATUS = word(["in_progress", "completed", "incomplete"])
_TOP = record("A token that could have stood there.", {"token": text(), "logprob": number(), "bytes": listing(whole())})
LOGPROB = record(
    "How likely a token was.",
    {"token": text(), "logprob": number(), "bytes": listing(whole()), "top_logprobs": listing(_TOP)},
)
ANNOTATION = either(
    record(
        "A source.",
        {
            "type": word(["url_citation"]),
            "start_index": whole(),
            "end_index": whole(),
            "title": text(),
            "url": text(),
        },
    ),
    other("A source of another kind.", "url_citation"),
)
SUMMARY_PART = record("A piece of what was thought.", {"type": word(["summary_text"]), "text": text()})
PART = Shape(
    "ResponsePart",
    either(
        record(
            "Words.",
            {
                "type": word(["output_text"]),
                "text": text(),
                "annotations": listing(ANNOTATION),
                "logprobs": listing(LOGPROB),
            },
        ),
        record("Why the model will not answer.", {"type": word(["refusal"]), "refusal": text()}),
        other("A part of another kind.", "output_text", "refusal"),
    ),
)


def _item(kind: str, about: str, optional: tuple[str, ...] = (), **told: Any) -> dict[str, Any]:
    shown = {"id": text(), "type": word([kind]), "status": _ITEM_STATUS, **told}
    return record(about, shown, optional=optional)


ITEM = Shape(
    "ResponseItem",
    either(
        _item(
            "message",
            "What the model said.",
            ("extra_content",),
            role=word(["assistant"]),
            content=listing(PART),
            extra_content=_EXTRA,
        ),
        _item(
            "reasoning",
            "What it thought.",
            ("reasoning_details", "status"),
            summary=listing(SUMMARY_PART),
            reasoning_details=listing(anything()),
        ),
        _item(
            "function_call",
            "A call it wants made.",
            ("extra_content",),
            call_id=text(),
            name=text(),
            arguments=text("JSON."),
            extra_content=_EXTRA,
        ),
        _item(
            "image_generation_call",
            "A picture: in base64, or where it is.",
            ("url",),
            result=maybe(text()),
            url=text(),
        ),
        other(
            "What a provider's own Responses endpoint tells beside: calls of its tools, and the like.",
            *("message", "reasoning", "function_call", "image_generation_call"),
        ),
    ),
)

_ERROR = record(
    "Why it failed, in OpenAI's words.",
    {
        "code": word(["server_error", "rate_limit_exceeded", "invalid_prompt"]),
        "message": text(),
        "param": maybe(text()),
        "type": text(),
    },
)
_USAGE = record(
    "Tokens.",
    {
        "input_tokens": whole(),
        "input_tokens_details": record("Among them.", {"cached_tokens": whole(), "cache_write_tokens": whole()}),
        "output_tokens": whole(),
        "output_tokens_details": record("Among them.", {"reasoning_tokens": whole()}),
        "total_tokens": whole(),
    },
)
# What is repeated of the request, with OpenAI's defaults.
_REPEATED = {
    "background": flag(),
    "instructions": maybe(text()),
    "max_output_tokens": maybe(whole()),
    "max_tool_calls": maybe(whole()),
    "metadata": mapping("Pairs of texts.", text()),
    "parallel_tool_calls": flag(),
    "previous_response_id": maybe(text()),
    "prompt_cache_key": maybe(text()),
    "reasoning": mapping("`effort` and `summary`.", anything()),
    "safety_identifier": maybe(text()),
    "service_tier": text(),
    "store": flag(),
    "temperature": maybe(number()),
    "text": mapping("`format` and `verbosity`.", anything()),
    "tool_choice": either(text(), mapping("A tool, or those allowed.", anything())),
    "tools": listing(mapping("A function, or a tool of the provider's own.", anything())),
    "top_logprobs": whole(),
    "top_p": maybe(number()),
    "user": maybe(text()),
}

RESPONSE = Shape(
    "Response",
    record(
        "OpenAI's response, as it stands; how it came once it has ended.",
        {
            "id": text(),
            "object": word(["response"]),
            "created_at": whole("Unix seconds."),
            "status": word(["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]),
            "model": text("Who answered; before that the one that was asked for."),
            "output": listing(ITEM),
            "error": either(_ERROR, {"type": "null"}),
            "incomplete_details": either(record("Why it was cut.", {"reason": text()}), {"type": "null"}),
            "truncation": word(["auto", "disabled"]),
            "usage": either(_USAGE, {"type": "null"}),
            **_REPEATED,
            "routing_metadata": ROUTING_METADATA,
        },
        optional=("routing_metadata",),
    ),
)

DELETED = Shape(
    "DeletedResponse",
    record("It is forgotten.", {"id": text(), "object": word(["response.deleted"]), "deleted": flag()}),
)

INPUT_ITEMS = Shape(
    "InputItems",
    record(
        "A page of the conversation that a response answers.",
        {
            "object": word(["list"]),
            "data": listing(
                record("An item, as it was sent.", {"id": text(), "type": text(), "status": text()}, passes=True)
            ),
            "first_id": maybe(text()),
            "last_id": maybe(text()),
            "has_more": flag(),
        },
    ),
)

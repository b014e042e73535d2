"""Anthropic's answers: a Message, the events of its stream, and the form of its errors.

Source: platform.claude.com/docs/en/api/messages and /build-with-claude/streaming.
"""

from collections.abc import Mapping
from typing import Any

from api.openapi.routing_shapes import ROUTING_METADATA
from api.openapi.shape import Shape, anything, either, listing, mapping, maybe, record, text, whole, word

_ERROR = record(
    "What is wrong.",
    {
        "type": text("By the status, such as `invalid_request_error`."),
        "message": text("What is wrong, and what to do."),
        "details": record("The router's own code.", {"error_code": text()}),
    },
    optional=("details",),
)

ANTHROPIC_ERROR = Shape(
    "AnthropicErrorAnswer",
    record(
        "Anthropic's error: the answer to a refused or failed request, or an event in the midst of a stream.",
        {
            "type": word(["error"]),
            "error": _ERROR,
            "request_id": maybe(text()),
            "routing_metadata": ROUTING_METADATA,
        },
        optional=("request_id", "routing_metadata"),
    ),
)

_BLOCK = Shape(
    "ContentBlock",
    either(
        record("Words.", {"type": word(["text"]), "text": text()}),
        record(
            "What the model thought; the signature is empty where nobody vouches for it.",
            {"type": word(["thinking"]), "thinking": text(), "signature": text()},
            passes=True,
        ),
        record(
            "Thinking that only Claude can read.", {"type": word(["redacted_thinking"]), "data": text()}, passes=True
        ),
        record(
            "A tool the model wants used.",
            {
                "type": word(["tool_use"]),
                "id": text(),
                "name": text(),
                "input": mapping("The tool's arguments.", anything()),
                "extra_content": mapping("What the provider wants back with it.", anything()),
            },
            optional=("extra_content",),
        ),
    ),
)
_USAGE = record(
    "Tokens. Those read from a cache stand beside the input.",
    {
        "input_tokens": whole(),
        "cache_creation_input_tokens": whole(),
        "cache_read_input_tokens": whole(),
        "output_tokens": whole(),
        "output_tokens_details": record("Among them.", {"thinking_tokens": whole()}),
    },
)
_STOP: Mapping[str, Any] = {
    "stop_reason": maybe(word(["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal"])),
    "stop_sequence": maybe(text("The one that was met.")),
    "stop_details": either(
        record(
            "Why the model would not answer.",
            {"type": word(["refusal"]), "category": maybe(text()), "explanation": maybe(text())},
        ),
        {"type": "null"},
    ),
}

MESSAGE = Shape(
    "Message",
    record(
        "Anthropic's Message, and how it came. At the beginning of a stream it has no content yet.",
        {
            "id": text(),
            "type": word(["message"]),
            "role": word(["assistant"]),
            "model": text("Who answers."),
            "content": listing(_BLOCK),
            **_STOP,
            "usage": _USAGE,
            "routing_metadata": ROUTING_METADATA,
        },
        optional=("stop_details", "routing_metadata"),
    ),
)

TOKEN_COUNT = Shape("TokenCount", record("The router's estimate.", {"input_tokens": whole()}))


def _event(kind: str, about: str, **told: Any) -> dict[str, Any]:
    return record(about, {"type": word([kind]), **told})


_DELTA = either(
    *(
        record("More of a block.", {"type": word([kind]), name: text()})
        for kind, name in (
            ("text_delta", "text"),
            ("thinking_delta", "thinking"),
            ("signature_delta", "signature"),
            ("input_json_delta", "partial_json"),
        )
    )
)
MESSAGE_EVENT = Shape(
    "MessageEvent",
    either(
        _event("message_start", "The stream begins.", message=MESSAGE),
        _event("content_block_start", "A block begins.", index=whole(), content_block=_BLOCK),
        _event("content_block_delta", "It goes on.", index=whole(), delta=_DELTA),
        _event("content_block_stop", "It is whole.", index=whole()),
        _event(
            "message_delta",
            "How and at what cost it ended.",
            delta=record("Why it ended.", _STOP),
            usage=_USAGE,
            routing_metadata=ROUTING_METADATA,
        ),
        _event("message_stop", "There is no more."),
        ANTHROPIC_ERROR,
    ),
)

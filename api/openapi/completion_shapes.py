"""OpenAI's answers, as far as callers rest on them: completions, chunks, lists of vectors. The rest passes.

Source: OpenAI's API reference; fields beyond it are what providers add.
"""

from api.openapi.routing_shapes import ERROR_ANSWER, ROUTING_METADATA
from api.openapi.shape import Shape, anything, either, listing, mapping, maybe, number, record, text, whole, word

_USAGE = Shape(
    "Usage",
    record(
        "Tokens of one answer.",
        {
            "prompt_tokens": whole(),
            "completion_tokens": whole(),
            "total_tokens": whole(),
            "prompt_tokens_details": maybe(mapping("Among them, such as `cached_tokens`.", anything())),
            "completion_tokens_details": maybe(mapping("Among them, such as `reasoning_tokens`.", anything())),
        },
        optional=("prompt_tokens_details", "completion_tokens_details"),
        passes=True,
    ),
)
_FUNCTION = record("A call's name and its arguments.", {"name": text(), "arguments": text("JSON.")}, passes=True)
_TOOL_CALL = record(
    "A call the model wants made.",
    {"id": text(), "type": text(), "function": _FUNCTION},
    optional=("function",),
    passes=True,
)
_LOGPROBS = maybe(mapping("As the provider gave them.", anything()))
_MESSAGE = record(
    "What the model said.",
    {
        "role": word(["assistant"]),
        "content": maybe(text()),
        "refusal": maybe(text()),
        "reasoning_content": maybe(text("What it thought, where the provider tells.")),
        "tool_calls": listing(_TOOL_CALL),
    },
    optional=("refusal", "reasoning_content", "tool_calls"),
    passes=True,
)
_CHOICE = record(
    "One of the answers.",
    {"index": whole(), "message": _MESSAGE, "finish_reason": text(), "logprobs": _LOGPROBS},
    optional=("logprobs",),
    passes=True,
)

CHAT_COMPLETION = Shape(
    "ChatCompletion",
    record(
        "OpenAI's chat completion, and how it came.",
        {
            "id": text(),
            "object": word(["chat.completion"]),
            "created": whole("Unix seconds."),
            "model": text("Who answered."),
            "choices": listing(_CHOICE),
            "usage": _USAGE,
            "routing_metadata": ROUTING_METADATA,
        },
        passes=True,
    ),
)

_DELTA_FUNCTION = record(
    "A piece of a call.", {"name": text(), "arguments": text()}, optional=("name", "arguments"), passes=True
)
_DELTA_CALL = record(
    "A piece of a call; those of one index make one call.",
    {"index": whole(), "id": text(), "type": text(), "function": _DELTA_FUNCTION},
    optional=("id", "type", "function"),
    passes=True,
)
_DELTA = record(
    "What came since the chunk before.",
    {
        "role": word(["assistant"]),
        "content": maybe(text()),
        "refusal": maybe(text()),
        "reasoning_content": maybe(text()),
        "tool_calls": listing(_DELTA_CALL),
    },
    optional=("role", "content", "refusal", "reasoning_content", "tool_calls"),
    passes=True,
)
_CHUNK_CHOICE = record(
    "A piece of one of the answers.",
    {
        "index": whole(),
        "delta": _DELTA,
        "finish_reason": maybe(text()),
        "logprobs": _LOGPROBS,
        "stop_reason": anything("The stop sequence that was met, where the provider tells."),
    },
    optional=("stop_reason",),
)

CHAT_CHUNK = Shape(
    "ChatCompletionChunk",
    record(
        "One event of a stream. The last one has `routing_metadata`.",
        {
            "id": text(),
            "object": word(["chat.completion.chunk"]),
            "created": whole("Unix seconds."),
            "model": text(),
            "choices": listing(_CHUNK_CHOICE),
            "usage": either(_USAGE, {"type": "null"}),
            "system_fingerprint": text(),
            "service_tier": text(),
            "routing_metadata": ROUTING_METADATA,
        },
        optional=("usage", "system_fingerprint", "service_tier", "routing_metadata"),
    ),
)
# What the `data` of an event may be; after the last one comes the text [DONE].
CHAT_EVENT = either(CHAT_CHUNK, ERROR_ANSWER)

_TEXT_CHOICE = {
    "text": text(),
    "index": whole(),
    "logprobs": maybe(
        mapping("In the legacy form: lists of tokens, of their values and of where they stand.", anything())
    ),
}
_TEXT = {
    "id": text(),
    "object": word(["text_completion"]),
    "created": whole("Unix seconds."),
    "model": text("Who answered."),
}

TEXT_COMPLETION = Shape(
    "TextCompletion",
    record(
        "OpenAI's legacy completion, and how it came.",
        {
            **_TEXT,
            "choices": listing(record("One of the texts.", {**_TEXT_CHOICE, "finish_reason": text()})),
            "usage": _USAGE,
            "system_fingerprint": text(),
            "routing_metadata": ROUTING_METADATA,
        },
        optional=("system_fingerprint",),
    ),
)

_TEXT_PIECE = Shape(
    "TextCompletionPiece",
    record(
        "One event of a stream. The last one has `routing_metadata`.",
        {
            **_TEXT,
            "choices": listing(record("A piece of a text.", {**_TEXT_CHOICE, "finish_reason": maybe(text())})),
            "usage": either(_USAGE, {"type": "null"}),
            "routing_metadata": ROUTING_METADATA,
        },
        optional=("usage", "routing_metadata"),
    ),
)
TEXT_EVENT = either(_TEXT_PIECE, ERROR_ANSWER)

EMBEDDINGS = Shape(
    "Embeddings",
    record(
        "OpenAI's list of vectors, one for each input and in their order.",
        {
            "object": word(["list"]),
            "data": listing(
                record(
                    "One vector.",
                    {
                        "object": word(["embedding"]),
                        "index": whole(),
                        "embedding": either(listing(number()), text("Base64 of 32-bit floats, little-endian.")),
                    },
                )
            ),
            "model": text("Whose vectors they are."),
            "usage": record("Tokens of the input.", {"prompt_tokens": whole(), "total_tokens": whole()}, passes=True),
            "routing_metadata": ROUTING_METADATA,
        },
        passes=True,
    ),
)

"""What the golden files hold: each provider's dialect is asked each case, in one piece and as a stream."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.dialects import TIME, WEATHER, user

# A model of each dialect; the second one where pictures are asked about.
MODELS = {
    "groq": ("openai/gpt-oss-20b", "meta-llama/llama-4-scout-17b-16e-instruct"),
    "hugging-face": ("openai/gpt-oss-20b", "Qwen/Qwen3-VL-8B-Instruct"),
    "google-gemini": ("gemini-3.8-flash", "gemini-3.8-flash"),
    "anthropic": ("claude-sonnet-5-5", "claude-sonnet-5-5"),
    "openai": ("gpt-5-mini", "gpt-5-mini"),
}
# A picture of one pixel.
_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR4nGNgYGBgAAAABQABXvMqOgAAAABJRU5ErkJggg=="
)
_PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 1}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
_USE_BOTH = [user("Please use get_weather and get_time.")]


@dataclass(frozen=True)
class Case:
    """One request beside its model, and how the sandbox behaves to it."""

    name: str
    fields: dict[str, Any]
    behaviour: dict[str, Any] = field(default_factory=dict)
    # It asks about a picture.
    sees: bool = False
    # The calls of its answer are answered: the message goes back as it came, with a result for each call.
    goes_on: bool = False
    # Only a stream can end so.
    stream_only: bool = False


CASES = [
    Case(
        "text",
        {
            "messages": [{"role": "system", "content": "Be brief."}, user("Say hello.")],
            "temperature": 0.5,
            "top_p": 0.9,
            "max_completion_tokens": 100,
            "seed": 7,
            "user": "user-1",
        },
        {"text": "Hello, dear you."},
    ),
    Case("stop", {"messages": [user("Count.")], "stop": ["four", "five"]}, {"text": "one two three four five"}),
    Case("length", {"messages": [user("Count.")], "max_tokens": 2}, {"text": "one two three four five"}),
    Case("parallel_tools", {"messages": _USE_BOTH, "tools": [WEATHER, TIME], "tool_choice": "auto"}),
    Case(
        "forced_tool",
        {
            "messages": [user("What now?")],
            "tools": [WEATHER, TIME],
            "tool_choice": {"type": "function", "function": {"name": "get_time"}},
        },
    ),
    Case(
        "json_schema",
        {
            "messages": [user("Who?")],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "person", "strict": True, "schema": _PERSON},
            },
        },
    ),
    Case("refusal", {"messages": [user("Something bad.")]}, {"refusal": "I can not do that."}),
    Case(
        "reasoning",
        {"messages": [user("Think.")], "reasoning_effort": "low"},
        {"reasoning": "Let me think about it.", "text": "Done."},
    ),
    Case(
        "choices_logprobs",
        {"messages": [user("Say hello.")], "n": 2, "logprobs": True, "top_logprobs": 2},
        {"text": "Hello, you"},
    ),
    Case(
        "vision",
        {
            "messages": [
                user(
                    [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image_url", "image_url": {"url": _PIXEL}},
                        {"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "low"}},
                    ]
                )
            ]
        },
        {"text": "A dot."},
        sees=True,
    ),
    Case(
        "round_trip",
        {"messages": _USE_BOTH, "tools": [WEATHER, TIME], "reasoning_effort": "low"},
        {"reasoning": "I need both."},
        goes_on=True,
    ),
    Case(
        "usage",
        {"messages": [user("A prompt of some length, so that a part of it was seen before.")]},
        {"text": "Yes.", "cached_tokens": 8, "reasoning_tokens": 5},
    ),
    Case("refused", {"messages": [user("Something odd.")]}, {"fault": "status", "status": 400}),
    Case(
        "broken_off", {"messages": [user("Say hello.")]}, {"text": "Hello, dear you.", "fault": "cut"}, stream_only=True
    ),
]
ALL = [(provider, case) for provider in MODELS for case in CASES]


def request_of(provider: str, case: Case) -> dict[str, Any]:
    """The request as a caller sends it, but for the sandbox's behaviour."""
    return {"model": f"{provider}/{MODELS[provider][case.sees]}", **case.fields}

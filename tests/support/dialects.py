"""The providers that every dialect's suites run over, as configured, and what they are asked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A provider as configured: its dialect, its path behind the sandbox's address, and a model."""

    name: str
    dialect: str
    path: str
    model: str


CASES = [
    Case("groq", "groq", "/groq/openai/v1/chat/completions", "openai/gpt-oss-20b"),
    Case("hugging-face", "hugging-face", "/hugging-face/v1/chat/completions", "openai/gpt-oss-20b"),
    Case("google-gemini", "google-gemini", "/google-gemini/v1beta", "gemini-2.5-flash"),
    Case(
        "gemini-by-model",
        "google-gemini",
        "/google-gemini/v1beta/models/gemini-old:generateContent",
        "gemini-3.8-flash",
    ),
    Case("anthropic", "anthropic", "/anthropic/v1/messages", "claude-sonnet-5"),
    Case("anthropic-budget", "anthropic", "/anthropic", "claude-haiku-4-5"),
    Case("openai", "openai", "/openai/v1", "gpt-4.1"),
    Case("mistral", "openai", "/mistral/v1/", "mistral-small-latest"),
]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}
TIME = {"type": "function", "function": {"name": "get_time", "description": "The time"}}


def user(text):
    """A turn of the user's."""
    return {"role": "user", "content": text}

"""What a legacy text completion request must look like. What chat completions have, too, is checked as there.

Source: OpenAI's API reference for completions.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from workers.requests.chat_schema import ChatCompletionSchema
from workers.requests.fields import Flag, JsonField, Rules, Text, Whole
from workers.requests.options_schema import check_against

# Fields of chat completions for which a text completion has no place, in its request or in its answer.
_CHAT_ONLY = (
    *("messages", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"),
    *("audio", "modalities", "top_logprobs", "max_completion_tokens"),
)


class Prompt(JsonField[Any]):
    """One text, or a list of one text."""

    def json_schema(self) -> dict[str, Any]:
        """Both forms."""
        text = {"type": "string"}
        return {"anyOf": [text, {"type": "array", "minItems": 1, "maxItems": 1, "items": text}]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(value, str):
            return value
        if not isinstance(value, list) or not value:
            raise ValidationError("must be a string, or a list of one string")
        if any(isinstance(item, int | list) for item in value):
            raise ValidationError("tokens are not taken: they mean another text to every model; send the text")
        if not all(isinstance(item, str) for item in value):
            raise ValidationError("must be a string, or a list of one string")
        if len(value) > 1:
            raise ValidationError("one prompt per request; send a request for each, they run side by side")
        return value


class LegacyCompletionSchema(ChatCompletionSchema):
    """The body of POST /v1/completions."""

    class Meta(ChatCompletionSchema.Meta):
        exclude = _CHAT_ONLY[:4] + _CHAT_ONLY[-2:]

    prompt = Prompt(required=True, about="One text.")
    suffix = Text(longest=1_000_000, about="Text after a gap; none can be given to a chat model.")
    best_of = Whole(1, about="Must be `n`: answers are not chosen among.")
    echo = Flag(about="Whether the prompt stands before each text.")
    # The same name as in chat, for a number.
    logprobs = Whole(0, 5)  # type: ignore[assignment]

    json_rules: ClassVar[Rules] = (
        {"properties": {name: {"type": "null"} for name in _CHAT_ONLY}},
        {"properties": {"suffix": {"enum": ["", None]}}},
    )

    @validates_schema
    def check_chat_fields(self, data: dict[str, Any], **_: Any) -> None:
        """Nothing that only chat completions can say or answer."""
        for name in _CHAT_ONLY:
            if data.get(name) is not None:
                raise ValidationError("is not part of this API; use POST /v1/chat/completions", name)

    @validates_schema
    def check_drafts(self, data: dict[str, Any], **_: Any) -> None:
        """Neither a text after the gap nor drafts to choose from: chat models are not asked so."""
        if data.get("suffix"):
            raise ValidationError("text after a gap cannot be given to a chat model; put it into the prompt", "suffix")
        best_of = data.get("best_of")
        if best_of is not None and best_of != (data.get("n") or 1):
            raise ValidationError("must be n: answers are not chosen among; ask for n and choose", "best_of")


_SCHEMA = LegacyCompletionSchema()


def check(body: Mapping[str, Any]) -> None:
    """Raise InvalidRequest that names the first field of `body` at fault."""
    check_against(_SCHEMA, body)

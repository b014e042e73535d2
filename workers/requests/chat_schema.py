"""What a chat completion request must look like. Unknown fields pass: they are the provider's business.

Source: OpenAI's API reference for chat completions, and DESIGN's extensions.
"""

from typing import Any, ClassVar

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from workers.requests.fields import Flag, JsonField, Number, Object, Rules, Text, Whole
from workers.requests.messages import Messages
from workers.requests.options_schema import OptionsSchema, check_against

MAX_STOPS = 16

FUNCTION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 128},
        "description": {},
        "parameters": {"type": ["object", "null"], "description": "Its arguments, as JSON Schema."},
    },
    "required": ["name"],
}


class ToolSchema(Schema):
    """A tool the model may call."""

    class Meta:
        unknown = INCLUDE

    type = Text(required=True)
    function = Object()

    json_rules: ClassVar[Rules] = (
        {
            "anyOf": [
                {
                    "properties": {"type": {"const": "function"}, "function": FUNCTION},
                    "required": ["function"],
                },
                {"properties": {"type": {"not": {"const": "function"}}}},
            ]
        },
    )

    @validates_schema
    def check_function(self, data: dict[str, Any], **_: Any) -> None:
        """A function tool has a name that providers take."""
        if data.get("type") != "function":
            return
        function = data.get("function") or {}
        name = function.get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= 128:
            raise ValidationError("must be a string of 1 to 128 characters", "function.name")
        if not isinstance(function.get("parameters", {}), dict | None):
            raise ValidationError("must be an object", "function.parameters")


class ToolChoice(JsonField[Any]):
    """One of OpenAI's three words, or an object that names a tool."""

    def json_schema(self) -> dict[str, Any]:
        """A word, a function by its name, or the list of those that are allowed."""
        named = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        return {
            "anyOf": [
                {"enum": ["none", "auto", "required"]},
                {"type": "object", "properties": {"function": named}, "required": ["function"]},
                {"type": "object", "properties": {"type": {"const": "allowed_tools"}}, "required": ["type"]},
            ]
        }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if value in ("none", "auto", "required"):
            return value
        function = value.get("function") if isinstance(value, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            return value
        if isinstance(value, dict) and value.get("type") == "allowed_tools":
            return value
        raise ValidationError('must be "none", "auto", "required" or {"type": "function", "function": {"name": ...}}')


class Stop(JsonField[Any]):
    """One stop sequence, or a list of them."""

    def json_schema(self) -> dict[str, Any]:
        """A text or a list of texts."""
        text = {"type": "string"}
        return {"anyOf": [text, {"type": "array", "maxItems": MAX_STOPS, "items": text}]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        sequences = [value] if isinstance(value, str) else value
        if not isinstance(sequences, list) or not all(isinstance(sequence, str) for sequence in sequences):
            raise ValidationError("must be a string or a list of strings")
        if len(sequences) > MAX_STOPS:
            raise ValidationError(f"must hold at most {MAX_STOPS} sequences")
        return value


class ResponseFormat(JsonField[dict[str, Any]]):
    """One of OpenAI's three forms of an answer."""

    def json_schema(self) -> dict[str, Any]:
        """Text, any JSON object, or JSON of a schema."""
        schema = {"type": "object", "properties": {"schema": {"type": "object"}}}
        form = {"type": {"const": "json_schema"}, "json_schema": schema}
        return {
            "anyOf": [
                {"type": "object", "properties": {"type": {"enum": ["text", "json_object"]}}, "required": ["type"]},
                {"type": "object", "properties": form, "required": list(form)},
            ]
        }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        kind = value.get("type")
        if kind not in ("text", "json_object", "json_schema"):
            raise ValidationError({"type": ['must be "text", "json_object" or "json_schema"']})
        if kind == "json_schema":
            named = value.get("json_schema")
            if not isinstance(named, dict) or not isinstance(named.get("schema", {}), dict):
                raise ValidationError({"json_schema": ["must be an object with a name and a schema"]})
        return value


class StreamOptionsSchema(Schema):
    """What a stream tells besides the answer."""

    class Meta:
        unknown = INCLUDE

    include_usage = Flag(about="Whether the last chunk tells the usage.")


class ChatCompletionSchema(OptionsSchema):
    """The body of POST /v1/chat/completions."""

    messages = Messages(required=True, about="The conversation so far.")
    temperature = Number(0, 2)
    top_p = Number(0, 1)
    presence_penalty = Number(-2, 2)
    frequency_penalty = Number(-2, 2)
    n = Whole(1, 128, about="How many answers are wanted.")
    seed = Whole()
    max_tokens = Whole(1)
    max_completion_tokens = Whole(1)
    logprobs = Flag()
    top_logprobs = Whole(0, 20)
    logit_bias = Object()
    stop = Stop()
    stream = Flag(about="Whether the answer comes as server-sent events while it is made.")
    stream_options = fields.Nested(StreamOptionsSchema, allow_none=True)
    tools = fields.List(fields.Nested(ToolSchema), allow_none=True, validate=validate.Length(max=1024))
    tool_choice = ToolChoice()
    parallel_tool_calls = Flag()
    response_format = ResponseFormat()
    reasoning_effort = Text()
    user = Text(longest=512)
    metadata = Object()

    json_rules: ClassVar[Rules] = (
        {
            "anyOf": [
                {"properties": {"stream_options": {"type": "null"}}},
                {"properties": {"stream": {"const": True}}, "required": ["stream"]},
            ]
        },
    )

    @validates_schema
    def check_stream_options(self, data: dict[str, Any], **_: Any) -> None:
        """Only a stream has options."""
        if data.get("stream_options") is not None and not data.get("stream"):
            raise ValidationError("is only allowed together with stream: true", "stream_options")


_SCHEMA = ChatCompletionSchema()


def check(body: dict[str, Any]) -> None:
    """Raise InvalidRequest that names the first field of `body` at fault."""
    check_against(_SCHEMA, body)

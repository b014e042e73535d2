"""What a chat completion request must look like. Unknown fields pass: they are the provider's business.

Source: OpenAI's API reference for chat completions, and DESIGN's extensions.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from api.fields import Flag, Number, Object, Text, Whole
from api.messages import Messages
from api.preferences_schema import PreferencesSchema
from routing.errors import InvalidRequest

# Longer than any deadline a provider's batch window has.
MAX_DEADLINE_S = 7 * 86_400


class ToolSchema(Schema):
    """A tool the model may call."""

    class Meta:
        unknown = INCLUDE

    type = Text(required=True, allow_none=False)
    function = Object()

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


class ToolChoice(fields.Field[Any]):
    """One of OpenAI's three words, or an object that names a tool."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if value in ("none", "auto", "required"):
            return value
        function = value.get("function") if isinstance(value, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            return value
        if isinstance(value, dict) and value.get("type") == "allowed_tools":
            return value
        raise ValidationError('must be "none", "auto", "required" or {"type": "function", "function": {"name": ...}}')


class Stop(fields.Field[Any]):
    """One stop sequence, or a list of them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        sequences = [value] if isinstance(value, str) else value
        if not isinstance(sequences, list) or not all(isinstance(sequence, str) for sequence in sequences):
            raise ValidationError("must be a string or a list of strings")
        if len(sequences) > 16:
            raise ValidationError("must hold at most 16 sequences")
        return value


class ChatCompletionSchema(Schema):
    """The body of POST /v1/chat/completions."""

    class Meta:
        unknown = INCLUDE

    model = Text(shortest=1)
    models = fields.List(Text(shortest=1, allow_none=False), allow_none=True, validate=validate.Length(max=16))
    messages = Messages(required=True)
    temperature = Number(0, 2)
    top_p = Number(0, 1)
    presence_penalty = Number(-2, 2)
    frequency_penalty = Number(-2, 2)
    n = Whole(1, 128)
    seed = Whole()
    max_tokens = Whole(1)
    max_completion_tokens = Whole(1)
    logprobs = Flag()
    top_logprobs = Whole(0, 20)
    logit_bias = Object()
    stop = Stop(allow_none=True)
    stream = Flag()
    tools = fields.List(fields.Nested(ToolSchema), allow_none=True, validate=validate.Length(max=1024))
    tool_choice = ToolChoice(allow_none=True)
    parallel_tool_calls = Flag()
    response_format = Object()
    reasoning_effort = Text()
    user = Text(longest=512)
    metadata = Object()
    provider = fields.Nested(PreferencesSchema, allow_none=True)
    background = Flag()
    service_tier = Text(choices=("auto", "default", "flex", "priority"))
    deadline_s = Number(high=MAX_DEADLINE_S, above=0)
    webhook_url = fields.Url(allow_none=True, schemes={"http", "https"}, require_tld=False)
    on_disconnect = Text(choices=("cancel", "detach"))
    routing_policy = Text(shortest=1)

    @validates_schema
    def check_model(self, data: dict[str, Any], **_: Any) -> None:
        """A model, or OpenRouter's list of them."""
        if not data.get("model") and not data.get("models"):
            raise ValidationError("is missing", "model")

    @validates_schema
    def check_response_format(self, data: dict[str, Any], **_: Any) -> None:
        """One of OpenAI's three forms."""
        wanted = data.get("response_format")
        if not isinstance(wanted, dict):
            return
        kind = wanted.get("type")
        if kind not in ("text", "json_object", "json_schema"):
            raise ValidationError('must be "text", "json_object" or "json_schema"', "response_format.type")
        if kind == "json_schema":
            named = wanted.get("json_schema")
            if not isinstance(named, dict) or not isinstance(named.get("schema", {}), dict):
                raise ValidationError("must be an object with a name and a schema", "response_format.json_schema")

    @validates_schema
    def check_stream(self, data: dict[str, Any], **_: Any) -> None:
        """Streams are not served yet; saying so beats answering in another form than was asked for."""
        if data.get("stream"):
            raise ValidationError("streaming is not available in this version; leave stream out", "stream")


_SCHEMA = ChatCompletionSchema()


def check(body: dict[str, Any]) -> None:
    """Raise InvalidRequest that names the first field of `body` at fault."""
    check_against(_SCHEMA, body)


def check_against(schema: Schema, body: Mapping[str, Any]) -> None:
    """Raise InvalidRequest that names the first field of `body` at fault."""
    problems = schema.validate(body)
    if problems:
        path, message = _first(problems)
        raise InvalidRequest(f"{path}: {message}" if path else message, param=path or None)


def _first(problems: Any, path: str = "") -> tuple[str, str]:
    """The path and text of the first problem in marshmallow's nested report."""
    if isinstance(problems, dict) and problems:
        name, inner = next(iter(problems.items()))
        if name == "_schema":
            return _first(inner, path)
        step = f"[{name}]" if isinstance(name, int) else f".{name}" if path else str(name)
        return _first(inner, path + step)
    if isinstance(problems, list) and problems:
        return _first(problems[0], path)
    return path, str(problems)

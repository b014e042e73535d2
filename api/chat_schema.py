"""What a chat completion request must look like. Unknown fields pass: they are the provider's business.

Source: OpenAI's API reference for chat completions, and DESIGN's extensions.
"""

from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from api.fields import Flag, Number, Object, Text, Whole
from routing.errors import InvalidRequest

MAX_MESSAGES = 4096
# Longer than any deadline a provider's batch window has.
MAX_DEADLINE_S = 7 * 86_400
_PART_FIELDS = {"text": "text", "image_url": "image_url", "input_audio": "input_audio", "file": "file"}


class Content(fields.Field[Any]):
    """A message's content: text, or a list of parts."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(value, str):
            return value
        if not isinstance(value, list):
            raise ValidationError("must be a string or a list of content parts")
        if not value:
            raise ValidationError("must hold at least one content part")
        for index, part in enumerate(value):
            if problem := _part_problem(part):
                raise ValidationError({index: [problem]})
        return value


def _part_problem(part: Any) -> str | None:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return "must be an object with a type"
    kind = part["type"]
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else None
        if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:")):
            return "image_url.url must be an http, https or data URL"
    elif kind in ("text", "refusal") and not isinstance(part.get(kind), str):
        return f"{kind} must be a string"
    elif kind in _PART_FIELDS and part.get(_PART_FIELDS[kind]) is None:
        return f"{_PART_FIELDS[kind]} is missing"
    return None


class ToolCallSchema(Schema):
    """A tool call of an assistant's earlier turn."""

    class Meta:
        unknown = INCLUDE

    id = Text(required=True, allow_none=False)
    function = Object(required=True)

    @validates_schema
    def check_function(self, data: dict[str, Any], **_: Any) -> None:
        """A name and its arguments, as text: what a model is shown of its own earlier call."""
        function = data.get("function") or {}
        for name in ("name", "arguments"):
            if not isinstance(function.get(name), str):
                raise ValidationError("must be a string", f"function.{name}")


class MessageSchema(Schema):
    """One message."""

    class Meta:
        unknown = INCLUDE

    role = Text(choices=("system", "developer", "user", "assistant", "tool", "function"), required=True)
    content = Content(allow_none=True)
    name = Text()
    tool_call_id = Text()
    tool_calls = fields.List(fields.Nested(ToolCallSchema), allow_none=True)

    @validates_schema
    def check_role(self, data: dict[str, Any], **_: Any) -> None:
        """Only an assistant that called a tool may have nothing to say."""
        role = data.get("role")
        if data.get("content") is None and role != "assistant":
            raise ValidationError("is missing", "content")
        if (
            role == "assistant"
            and not any(data.get(name) for name in ("content", "tool_calls", "function_call", "refusal", "audio"))
            and data.get("content") != ""
        ):
            raise ValidationError("is missing: an assistant message needs content or tool_calls", "content")
        if role == "tool" and not data.get("tool_call_id"):
            raise ValidationError("is missing: a tool message answers a tool call", "tool_call_id")


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
    messages = fields.List(
        fields.Nested(MessageSchema), required=True, validate=validate.Length(min=1, max=MAX_MESSAGES)
    )
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
    provider = Object()
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
    problems = _SCHEMA.validate(body)
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

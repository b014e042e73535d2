"""What a request to the Responses API must look like. Unknown fields pass: they are the provider's business.

Source: OpenAI's API reference for responses, and DESIGN's extensions. What cannot be said to a provider is refused.
"""

from typing import Any, ClassVar

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from workers.requests.chat_schema import Stop
from workers.requests.fields import Flag, JsonField, Number, Object, Rules, Text, Whole
from workers.requests.options_schema import OptionsSchema, check_against
from workers.requests.response_input import Input
from workers.surfaces.responses_request import REFUSED

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SUMMARIES = ("auto", "concise", "detailed")
_INCLUDED = (
    "message.output_text.logprobs",
    "message.input_image.image_url",
    "reasoning.encrypted_content",
    "file_search_call.results",
    "web_search_call.action.sources",
    "web_search_call.results",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
)
_MAX_PAIRS, _MAX_KEY, _MAX_VALUE = 16, 64, 512
_MAX_INSTRUCTIONS = 16 * 2**20


def _having(**needs: Any) -> dict[str, Any]:
    """An object that has all of these, as JSON Schema."""
    return {"type": "object", "properties": needs, "required": list(needs)}


class _Loose(Schema):
    """An object whose unknown fields pass."""

    class Meta:
        unknown = INCLUDE

    error_messages = {"type": "must be an object"}  # noqa: RUF012 - marshmallow declares it as an instance attribute


class ResponseToolSchema(_Loose):
    """A function the model may call, or a tool of the provider's own; the API has its fields beside the type."""

    type = Text(required=True, allow_none=False, shortest=1)
    name = Text(longest=128, shortest=1)
    description = Text(longest=_MAX_INSTRUCTIONS)
    parameters = Object()
    strict = Flag()

    json_rules: ClassVar[Rules] = (
        {"anyOf": [{"properties": {"type": {"not": {"const": "function"}}}}, _having(name={"type": "string"})]},
    )

    @validates_schema
    def check_kind(self, data: dict[str, Any], **_: Any) -> None:
        """A function has a name."""
        if data.get("type") == "function" and data.get("name") is None:
            raise ValidationError("is missing", "name")


class ToolChoice(JsonField[Any]):
    """One of OpenAI's three words, a function, another tool by its type, or those that are allowed."""

    def json_schema(self) -> dict[str, Any]:
        """The four forms."""
        function = _having(type={"const": "function"}, name={"type": "string"})
        other = _having(type={"type": "string", "not": {"enum": ["function", "allowed_tools"]}})
        tools = {"type": "array", "minItems": 1, "items": {"anyOf": [function, other]}}
        allowed = _having(type={"const": "allowed_tools"}, mode={"enum": ["auto", "required"]}, tools=tools)
        return {"anyOf": [{"enum": ["none", "auto", "required"]}, function, other, allowed]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(value, str) and value in ("none", "auto", "required"):
            return value
        if _names_tool(value):
            return value
        if isinstance(value, dict) and value.get("type") == "allowed_tools":
            tools = value.get("tools")
            if value.get("mode") not in ("auto", "required"):
                raise ValidationError({"mode": ['must be "auto" or "required"']})
            if not isinstance(tools, list) or not tools or not all(map(_names_tool, tools)):
                raise ValidationError({"tools": ["must be a list of tools, functions each with type and name"]})
            return value
        raise ValidationError('must be "none", "auto", "required", a function by its name, a tool, or allowed_tools')


class ResponseFormatSchema(_Loose):
    """The form of an answer's text."""

    type = Text(required=True, allow_none=False, choices=("text", "json_object", "json_schema"))
    name = Text(longest=64, shortest=1)
    description = Text(longest=_MAX_INSTRUCTIONS)
    schema = Object()
    strict = Flag()

    json_rules: ClassVar[Rules] = (
        {
            "anyOf": [
                {"properties": {"type": {"not": {"const": "json_schema"}}}},
                _having(name={"type": "string"}, schema={"type": "object"}),
            ]
        },
    )

    @validates_schema
    def check_schema(self, data: dict[str, Any], **_: Any) -> None:
        """A JSON schema has a name."""
        if data.get("type") == "json_schema":
            for name in ("name", "schema"):
                if data.get(name) is None:
                    raise ValidationError("is missing", name)


class ResponseTextSchema(_Loose):
    """How an answer's text is to be."""

    format = fields.Nested(ResponseFormatSchema, allow_none=True)
    verbosity = Text(choices=("low", "medium", "high"))


class ResponseReasoningSchema(_Loose):
    """How a model is to think."""

    effort = Text(choices=_EFFORTS)
    summary = Text(choices=_SUMMARIES)
    generate_summary = Text(choices=_SUMMARIES)
    context = Text(choices=("auto", "current_turn", "all_turns"))
    mode = Text(choices=("standard", "pro"))


class Metadata(JsonField[dict[str, Any]]):
    """Up to 16 pairs of strings."""

    def json_schema(self) -> dict[str, Any]:
        """An object of texts."""
        label = {"type": "string", "maxLength": _MAX_VALUE}
        names = {"maxLength": _MAX_KEY}
        return {"type": "object", "maxProperties": _MAX_PAIRS, "propertyNames": names, "additionalProperties": label}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        if len(value) > _MAX_PAIRS:
            raise ValidationError(f"must hold at most {_MAX_PAIRS} pairs")
        for name, label in value.items():
            if len(name) > _MAX_KEY:
                raise ValidationError(f"must have keys of at most {_MAX_KEY} characters")
            if not isinstance(label, str) or len(label) > _MAX_VALUE:
                raise ValidationError({name: [f"must be a string of at most {_MAX_VALUE} characters"]})
        return value


class ResponsesSchema(OptionsSchema):
    """The body of POST /v1/responses."""

    input = Input(about="A text, or the conversation so far as items.")
    instructions = Text(longest=_MAX_INSTRUCTIONS)
    previous_response_id = Text(shortest=1, about="The response whose conversation goes on.")
    temperature = Number(0, 2)
    top_p = Number(0, 1)
    presence_penalty = Number(-2, 2)
    frequency_penalty = Number(-2, 2)
    seed = Whole()
    stop = Stop()
    logit_bias = Object()
    max_output_tokens = Whole(1)
    max_tool_calls = Whole(1)
    top_logprobs = Whole(0, 20)
    include = fields.List(Text(choices=_INCLUDED, allow_none=False), allow_none=True)
    tools = fields.List(fields.Nested(ResponseToolSchema), allow_none=True, validate=validate.Length(max=1024))
    tool_choice = ToolChoice(about="Functions that are named must be among `tools`.")
    parallel_tool_calls = Flag()
    text = fields.Nested(ResponseTextSchema, allow_none=True)
    reasoning = fields.Nested(ResponseReasoningSchema, allow_none=True)
    metadata = Metadata()
    truncation = Text(choices=("auto", "disabled"))
    store = Flag(about="Whether the response can be retrieved later.")
    stream = Flag(about="Whether the answer comes as server-sent events while it is made.")
    stream_options = Object()
    prompt = Object(about="A template of the provider's own; without words anywhere else.")
    background_options = Object()
    user = Text(longest=512)
    safety_identifier = Text(longest=512)
    prompt_cache_key = Text(longest=512)

    json_rules: ClassVar[Rules] = (
        {"properties": {name: {"type": "null"} for name in REFUSED}},
        {
            "anyOf": [
                _having(input={"type": ["string", "array"]}),
                _having(previous_response_id={"type": "string"}),
                _having(prompt={"type": "object"}),
            ]
        },
        {
            "anyOf": [
                {"properties": {"tool_choice": {"enum": ["none", "auto", None]}}},
                _having(tools={"type": "array", "minItems": 1}),
            ]
        },
        {
            "anyOf": [
                {"properties": {"background": {"enum": [False, None]}}},
                {"properties": {"store": {"enum": [True, None]}}},
            ]
        },
    )

    @validates_schema
    def check_refused(self, data: dict[str, Any], **_: Any) -> None:
        """Fields that could not be kept to."""
        for name, reason in REFUSED.items():
            if data.get(name) is not None:
                raise ValidationError(f"is not supported: {reason}", name)

    @validates_schema
    def check_input(self, data: dict[str, Any], **_: Any) -> None:
        """Something to answer."""
        if all(data.get(name) is None for name in ("input", "previous_response_id", "prompt")):
            raise ValidationError("is missing", "input")

    @validates_schema
    def check_tool_choice(self, data: dict[str, Any], **_: Any) -> None:
        """A function that must be called is there."""
        choice = data.get("tool_choice")
        tools = data.get("tools") or ()
        known = {tool["name"] for tool in tools if tool["type"] == "function"}
        if choice not in (None, "none", "auto") and not tools:
            raise ValidationError("there are no tools that could be called", "tool_choice")
        if isinstance(choice, dict):
            for chosen in choice["tools"] if choice["type"] == "allowed_tools" else [choice]:
                if chosen["type"] == "function" and chosen["name"] not in known:
                    raise ValidationError(f"there is no tool {chosen['name']!r} among tools", "tool_choice")

    @validates_schema
    def check_background(self, data: dict[str, Any], **_: Any) -> None:
        """A response that cannot be retrieved cannot be waited for later."""
        if data.get("background") and data.get("store") is False:
            raise ValidationError("must not be false with background: the answer could not be retrieved", "store")


_SCHEMA = ResponsesSchema()


def check(body: dict[str, Any]) -> None:
    """Raise InvalidRequest that names the first field of `body` at fault."""
    check_against(_SCHEMA, body)


def _names_tool(value: Any) -> bool:
    """Whether it is a function by its name, or another tool by its type."""
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind == "allowed_tools":
        return False
    return kind != "function" or isinstance(value.get("name"), str)

"""What a Messages request must look like. What chat completions have, too, is checked as there; unknown fields pass.

Source: platform.claude.com/docs/en/api/messages.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from workers.requests.anthropic_turns import System, Turns
from workers.requests.chat_schema import ChatCompletionSchema
from workers.requests.fields import Flag, Number, Object, Rules, Text, Whole, described
from workers.requests.options_schema import check_against
from workers.requests.turn_shape import NOTHING

_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_LONGEST_TEXT = 1_000_000
# Fields of chat completions that a Message has no place for.
_NOT_HERE = ("logprobs", "top_logprobs", "functions", "function_call", "audio", "modalities")
# Fields that change what an answer is and that only Anthropic's own servers can do something with.
_ONLY_THERE: Mapping[str, str] = {
    "mcp_servers": "servers are connected to by Anthropic only; offer their tools as tools",
    "container": "containers are kept by Anthropic only",
    "inference_geo": "where an answer is made is chosen with provider.only",
}


class _Loose(Schema):
    class Meta:
        unknown = INCLUDE

    error_messages = {"type": "must be an object"}  # noqa: RUF012 - marshmallow declares it as an instance attribute


class MessageToolSchema(_Loose):
    """A tool the model may call."""

    type = Text()
    name = Text(longest=128, shortest=1)
    description = Text(longest=_LONGEST_TEXT)
    input_schema = Object()
    strict = Flag()
    cache_control = Object()

    json_rules: ClassVar[Rules] = (
        {
            "properties": {
                "type": {"enum": ["custom", None]},
                "name": {"type": "string"},
                "input_schema": {"type": "object"},
            },
            "required": ["name", "input_schema"],
        },
    )

    @validates_schema
    def check_own(self, data: dict[str, Any], **_: Any) -> None:
        """The caller's own tool, with a name and a schema."""
        kind = data.get("type")
        if kind not in (None, "custom"):
            raise ValidationError(
                f"{kind!r} is a tool of Anthropic's own, which no other provider has; offer your own, with a schema",
                "type",
            )
        for name in ("name", "input_schema"):
            if data.get(name) is None:
                raise ValidationError("is missing", name)


class MessageToolChoiceSchema(_Loose):
    """How tools are to be used."""

    type = Text(choices=("auto", "any", "tool", "none"), required=True, allow_none=False)
    name = Text()
    disable_parallel_tool_use = Flag()


class MessageThinkingSchema(_Loose):
    """How the model is to think."""

    type = Text(choices=("enabled", "adaptive", "disabled", "between_tools"), required=True, allow_none=False)
    budget_tokens = Whole(1024)
    display = Text(choices=("summarized", "omitted"))

    json_rules: ClassVar[Rules] = (
        {
            "anyOf": [
                {"properties": {"type": {"not": {"const": "enabled"}}}},
                {"properties": {"budget_tokens": {"type": "integer"}}, "required": ["budget_tokens"]},
            ]
        },
    )

    @validates_schema
    def check_budget(self, data: dict[str, Any], **_: Any) -> None:
        """Thinking that is switched on has a budget."""
        if data["type"] == "enabled" and data.get("budget_tokens") is None:
            raise ValidationError("is missing", "budget_tokens")


class MessageFormatSchema(_Loose):
    """The form of an answer."""

    type = Text(choices=("json_schema",), required=True, allow_none=False)
    schema = fields.Dict(required=True, error_messages={"invalid": "must be an object"})


class MessageOutputSchema(_Loose):
    """How an answer is to be given."""

    effort = Text(choices=_EFFORTS)
    format = fields.Nested(MessageFormatSchema, allow_none=True)


class MessageMetadataSchema(_Loose):
    """Who it is for."""

    user_id = Text(longest=512)


class CountTokensSchema(ChatCompletionSchema):
    """The body of POST /v1/messages/count_tokens."""

    # Where mypy is held back, the name is chat's and what it stands for is Anthropic's.
    messages = Turns(required=True)  # type: ignore[assignment]
    system = System(about="What holds for the whole conversation.")
    max_tokens = Whole(1)
    temperature = Number(0, 1)
    top_k = Whole(0)
    stop_sequences = fields.List(
        Text(longest=_LONGEST_TEXT, shortest=1, allow_none=False), allow_none=True, validate=validate.Length(max=16)
    )
    tools = fields.List(fields.Nested(MessageToolSchema), allow_none=True, validate=validate.Length(max=1024))
    tool_choice = fields.Nested(  # type: ignore[assignment]
        MessageToolChoiceSchema, allow_none=True, metadata=described("A `tool` must be one of `tools`.")
    )
    thinking = fields.Nested(MessageThinkingSchema, allow_none=True)
    output_config = fields.Nested(MessageOutputSchema, allow_none=True)
    output_format = fields.Nested(MessageFormatSchema, allow_none=True)
    metadata = fields.Nested(MessageMetadataSchema, allow_none=True)  # type: ignore[assignment]
    cache_control = Object()
    service_tier = Text(choices=("auto", "standard_only", "default", "flex", "priority"))

    json_rules: ClassVar[Rules] = (
        {
            "properties": {
                "n": {"enum": [1, None]},
                **{name: {"enum": [None, False, 0]} for name in _NOT_HERE},
                **{name: {"enum": NOTHING} for name in _ONLY_THERE},
            }
        },
        {
            "anyOf": [
                {"properties": {"tool_choice": {"type": "null"}}},
                {"properties": {"tools": {"type": "array", "minItems": 1}}, "required": ["tools"]},
            ]
        },
        {
            "anyOf": [
                {"properties": {"tool_choice": {"properties": {"type": {"not": {"const": "tool"}}}}}},
                {"properties": {"tool_choice": {"properties": {"name": {"type": "string"}}, "required": ["name"]}}},
            ]
        },
    )

    @validates_schema
    def check_places(self, data: dict[str, Any], **_: Any) -> None:
        """Nothing that a Message could not tell, or that only Anthropic's servers could do."""
        if data.get("n") not in (None, 1):
            raise ValidationError("must be 1: a Message has one answer", "n")
        for name in _NOT_HERE:
            if data.get(name) not in (None, False):
                raise ValidationError("is not part of this API; use POST /v1/chat/completions", name)
        for name, reason in _ONLY_THERE.items():
            if data.get(name):
                raise ValidationError(reason, name)

    @validates_schema
    def check_choice(self, data: dict[str, Any], **_: Any) -> None:
        """A choice is among tools that are there."""
        choice = data.get("tool_choice")
        if not choice:
            return
        tools = data.get("tools")
        if not tools:
            raise ValidationError("needs tools to choose from", "tool_choice")
        if choice["type"] == "tool" and choice.get("name") not in {tool["name"] for tool in tools}:
            raise ValidationError("must be the name of one of the tools", "tool_choice.name")


class MessagesSchema(CountTokensSchema):
    """The body of POST /v1/messages."""

    json_rules: ClassVar[Rules] = ({"properties": {"max_tokens": {"type": "integer"}}, "required": ["max_tokens"]},)

    @validates_schema
    def check_max_tokens(self, data: dict[str, Any], **_: Any) -> None:
        """The one ceiling that this API wants named."""
        if data.get("max_tokens") is None:
            raise ValidationError("is missing", "max_tokens")


_SCHEMA = MessagesSchema()
_COUNT_SCHEMA = CountTokensSchema()


def check(body: Mapping[str, Any]) -> None:
    """Raise InvalidRequest that names the first field of `body` at fault."""
    check_against(_SCHEMA, body)


def check_count(body: Mapping[str, Any]) -> None:
    """The same for a request whose tokens are counted: it needs no max_tokens."""
    check_against(_COUNT_SCHEMA, body)

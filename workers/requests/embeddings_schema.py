"""What an embeddings request must look like. Unknown fields pass: they are the provider's business.

Source: OpenAI's API reference for embeddings, and DESIGN's extensions.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from workers.requests.fields import Flag, JsonField, Rules, Text, Whole
from workers.requests.options_schema import OptionsSchema, check_against

MAX_INPUTS = 2048
_WANTED = "must be a string, a list of strings, a list of tokens or a list of lists of tokens"


class Input(JsonField[Any]):
    """What is embedded: one text or its tokens, or a list of either."""

    def json_schema(self) -> dict[str, Any]:
        """The four forms; a list of tokens is one input, and bounded as a list of inputs is."""
        text = {"type": "string", "minLength": 1}
        token = {"type": "integer", "minimum": 0}
        inputs = {"type": "array", "minItems": 1, "maxItems": MAX_INPUTS}
        tokens = {"type": "array", "minItems": 1, "items": token}
        return {"anyOf": [text, *({**inputs, "items": items} for items in (text, token, tokens))]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(value, str):
            _check_text(value)
            return value
        if not isinstance(value, list):
            raise ValidationError(_WANTED)
        if not 1 <= len(value) <= MAX_INPUTS:
            raise ValidationError(f"must hold 1 to {MAX_INPUTS} entries")
        if isinstance(value[0], str):
            _check_each(value, _check_text)
        elif isinstance(value[0], list):
            _check_each(value, _check_tokens)
        else:
            _check_tokens(value)
        return value


class EmbeddingsSchema(OptionsSchema):
    """The body of POST /v1/embeddings."""

    input = Input(required=True, about="A text, a list of texts, or the same as tokens.")
    encoding_format = Text(choices=("float", "base64"))
    dimensions = Whole(1, 2**31 - 1)
    user = Text(longest=512)
    stream = Flag()

    json_rules: ClassVar[Rules] = ({"properties": {"stream": {"enum": [False, None]}}},)

    @validates_schema
    def check_stream(self, data: dict[str, Any], **_: Any) -> None:
        """Vectors come whole."""
        if data.get("stream"):
            raise ValidationError("embeddings are not streamed; leave stream out", "stream")


_SCHEMA = EmbeddingsSchema()


def check(body: dict[str, Any]) -> None:
    """Raise InvalidRequest that names the first field of `body` at fault."""
    check_against(_SCHEMA, body)


def _check_each(inputs: list[Any], check_one: Callable[[Any], None]) -> None:
    """All are of the kind that the first is of."""
    for index, item in enumerate(inputs):
        try:
            check_one(item)
        except ValidationError as error:
            raise ValidationError({index: error.messages}) from None


def _check_text(text: Any) -> None:
    if not isinstance(text, str) or not text:
        raise ValidationError("must be a string, and not an empty one")


def _check_tokens(tokens: Any) -> None:
    if not isinstance(tokens, list) or not tokens:
        raise ValidationError("must be a list of tokens, and not an empty one")
    for index, token in enumerate(tokens):
        # A boolean is an int to isinstance.
        if type(token) is not int or token < 0:
            raise ValidationError({index: ["must be a token, a whole number from 0"]})

"""What a request for a batch must look like.

Source: OpenAI's reference for the Batch API, and its extensions here: `requests`, `webhook_url`, other windows.
"""

import re
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from workers.requests.demands import ENDPOINTS
from workers.requests.fields import JsonField, Rules, Text, Whole, described
from workers.requests.options_schema import check_against

_WINDOW = re.compile(r"([1-9][0-9]{0,4})([mh])")
_UNITS_S = {"m": 60, "h": 3600}
LONGEST_WINDOW_S = 24 * 3600
MOST_PAIRS, LONGEST_NAME, LONGEST_VALUE = 16, 64, 512
# As OpenAI has it: from an hour to 30 days.
_KEPT_S = (3600, 2_592_000)


def window_s(text: str) -> int:
    """The seconds of a completion window like "24h" or "15m"; ValueError where it is none."""
    match = _WINDOW.fullmatch(text)
    seconds = int(match[1]) * _UNITS_S[match[2]] if match else 0
    if not 0 < seconds <= LONGEST_WINDOW_S:
        raise ValueError(text)
    return seconds


class Window(JsonField[str]):
    """How long a batch may take."""

    def json_schema(self) -> dict[str, Any]:
        """A number of minutes or hours."""
        hours, minutes = "[1-9]|1[0-9]|2[0-4]", "[1-9][0-9]{0,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440"
        return {"type": "string", "pattern": f"^(({hours})h|({minutes})m)$"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        try:
            window_s(value if isinstance(value, str) else "")
        except ValueError:
            raise ValidationError('must be minutes or hours up to a day, as "24h" or "30m"') from None
        return str(value)


class Metadata(JsonField[dict[str, str]]):
    """OpenAI's pairs of texts."""

    def json_schema(self) -> dict[str, Any]:
        """An object of texts."""
        return {
            "type": "object",
            "maxProperties": MOST_PAIRS,
            "propertyNames": {"maxLength": LONGEST_NAME},
            "additionalProperties": {"type": "string", "maxLength": LONGEST_VALUE},
        }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:  # noqa: ARG002
        if not isinstance(value, dict) or len(value) > MOST_PAIRS:
            raise ValidationError(f"must be an object of at most {MOST_PAIRS} pairs")
        for name, text in value.items():
            if len(name) > LONGEST_NAME or not isinstance(text, str) or len(text) > LONGEST_VALUE:
                raise ValidationError(
                    f"must have names of up to {LONGEST_NAME} characters and texts of up to {LONGEST_VALUE}"
                )
        return value


class ExpirySchema(Schema):
    """When the files of the output go away."""

    class Meta:
        unknown = RAISE

    anchor = Text(required=True, choices=("created_at",))
    seconds = Whole(*_KEPT_S, required=True)


class InlineRequest(JsonField[dict[str, Any]]):
    """A line, as it would stand in the input file. It is checked with all others, when the batch is validated."""

    def json_schema(self) -> dict[str, Any]:
        """An object; what is wrong with it the batch's `errors` say."""
        return {"type": "object"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        if not isinstance(value, dict):
            raise ValidationError("must be an object with custom_id and body")
        return value


class BatchSchema(Schema):
    """POST /v1/batches. A field that is not known is a slip: it would count for 50,000 lines."""

    class Meta:
        unknown = RAISE

    endpoint = Text(required=True, choices=tuple(ENDPOINTS), about="What every line asks.")
    completion_window = Window(required=True, about="How long it may take, from minutes to a day: `30m`, `24h`.")
    input_file_id = Text(shortest=1, about="A file of purpose `batch`: a line of JSON for each request.")
    requests = fields.List(
        InlineRequest(required=True),
        allow_none=True,
        validate=validate.Length(min=1),
        metadata=described("The requests themselves, `{custom_id, body}` each, instead of a file."),
    )
    metadata = Metadata()
    output_expires_after = fields.Nested(ExpirySchema, allow_none=True)
    webhook_url = fields.Url(
        allow_none=True,
        schemes={"http", "https"},
        require_tld=False,
        metadata=described("Where the batch is sent when it has ended, signed as Standard Webhooks; http or https."),
    )

    json_rules: ClassVar[Rules] = (
        {
            "oneOf": [
                {"properties": {"input_file_id": {"type": "string"}}, "required": ["input_file_id"]},
                {"properties": {"requests": {"type": "array"}}, "required": ["requests"]},
            ]
        },
    )

    @validates_schema
    def check_input(self, data: dict[str, Any], **_: Any) -> None:
        """A file or the requests themselves."""
        if (data.get("input_file_id") is None) == (data.get("requests") is None):
            raise ValidationError("give either input_file_id or requests", "input_file_id")


_SCHEMA = BatchSchema()


def check(body: dict[str, Any]) -> None:
    """Raise InvalidRequest that names the first field of `body` at fault."""
    check_against(_SCHEMA, body)

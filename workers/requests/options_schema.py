"""The fields every surface's request shares: its models and the router's own options. Unknown fields pass."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from routing.errors import InvalidRequest
from workers.requests.fields import Flag, Number, Rules, Text, described
from workers.requests.preferences_schema import PreferencesSchema
from workers.requests.webhook_url import WebhookUrl

# Longer than any deadline a provider's batch window has.
MAX_DEADLINE_S = 7 * 86_400


class OptionsSchema(Schema):
    """What a surface's schema extends."""

    class Meta:
        unknown = INCLUDE

    model = Text(shortest=1, about="An alias, a deployment as `provider/model`, or a model's own name.")
    models = fields.List(
        Text(shortest=1, allow_none=False),
        allow_none=True,
        validate=validate.Length(max=16),
        metadata=described("Tried after `model`, in this order."),
    )
    provider = fields.Nested(PreferencesSchema, allow_none=True)
    background = Flag(about="Whether to be answered at once, with the job; the answer is polled for.")
    service_tier = Text(choices=("auto", "default", "flex", "priority"), about="The place in a provider's queue.")
    deadline_s = Number(high=MAX_DEADLINE_S, above=0, about="Seconds from now after which no answer is wanted.")
    webhook_url = WebhookUrl(
        about="Where the job is sent when it has ended, signed as Standard Webhooks; http or https."
    )
    on_disconnect = Text(choices=("cancel", "detach"), about="What becomes of the job when the caller hangs up.")
    continue_on_failover = Flag(about="Whether another provider may go on with an answer that broke off.")
    routing_policy = Text(shortest=1, about="The policy that orders the candidates.")

    json_rules: ClassVar[Rules] = (
        {
            "anyOf": [
                {"properties": {"model": {"type": "string"}}, "required": ["model"]},
                {"properties": {"models": {"type": "array", "minItems": 1}}, "required": ["models"]},
            ]
        },
    )

    @validates_schema
    def check_model(self, data: dict[str, Any], **_: Any) -> None:
        """A model, or OpenRouter's list of them."""
        if not data.get("model") and not data.get("models"):
            raise ValidationError("is missing", "model")


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

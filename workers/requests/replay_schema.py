"""What may be changed when a job's request is run again. Nothing else: no wish is lost without a word."""

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from workers.requests.fields import Number, Text, described
from workers.requests.options_schema import MAX_DEADLINE_S, check_against
from workers.requests.preferences_schema import PreferencesSchema


class ReplaySchema(Schema):
    """What differs from the first time; what is absent or null stays as it was."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "cannot be changed in a replay"}  # noqa: RUF012 - marshmallow declares it so

    model = Text(shortest=1, about="Asked instead: an alias, a deployment as `provider/model`, or a model's own name.")
    models = fields.List(
        Text(shortest=1, allow_none=False),
        allow_none=True,
        validate=validate.Length(max=16),
        metadata=described("Tried after the model instead, in this order."),
    )
    provider = fields.Nested(
        PreferencesSchema, allow_none=True, metadata=described("Wishes of providers in place of the earlier ones.")
    )
    routing_policy = Text(shortest=1, about="The policy that orders the candidates instead.")
    deadline_s = Number(high=MAX_DEADLINE_S, above=0, about="Seconds from now after which no answer is wanted.")


_SCHEMA = ReplaySchema()


def check(body: Mapping[str, Any]) -> None:
    """Raise InvalidRequest that names the first field of `body` at fault."""
    check_against(_SCHEMA, body)


def changed(request: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The request with what a checked body changes."""
    return {**request, **{name: value for name, value in changes.items() if value is not None}}

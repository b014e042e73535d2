"""What the bodies of /v1/webhooks must look like. Unknown fields are refused: a misspelt filter would tell nothing."""

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, validates_schema

from workers.requests.fields import Flag, JsonField, Number, Text
from workers.requests.options_schema import check_against
from workers.requests.webhook_url import WebhookUrl
from workers.webhooks.delivery import DeliveryStatus
from workers.webhooks.endpoint import PREFIX
from workers.webhooks.events import ALL, EVENTS

MAX_GRACE_S = 30 * 86_400
# Statuses a delivery can be replayed from.
ENDED = (DeliveryStatus.DELIVERED.value, DeliveryStatus.FAILED.value)
# Far enough, and exact in a double.
_LAST_TIME = 2**42


class _Strict(Schema):
    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "is no field of this request"}  # noqa: RUF012 - as marshmallow declares it


class Events(JsonField[Any]):
    """`*`, or a list of events."""

    def json_schema(self) -> dict[str, Any]:
        """Both forms."""
        names = {"type": "array", "minItems": 1, "maxItems": len(EVENTS), "items": {"enum": list(EVENTS)}}
        return {"anyOf": [{"enum": [ALL]}, names]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if value == ALL:
            return value
        if not isinstance(value, list) or not 1 <= len(value) <= len(EVENTS):
            raise ValidationError(f'must be "*", or a list of 1 to {len(EVENTS)} events')
        for index, name in enumerate(value):
            if not isinstance(name, str) or name not in EVENTS:
                raise ValidationError({index: [f"must be one of: {', '.join(EVENTS)}"]})
        return value


class _EndpointFields(_Strict):
    events = Events(about='Which events it is sent: `"*"` for all, or a list.')
    description = Text(longest=1024, about="For you; nothing is done with it.")
    disabled = Flag(about="Whether nothing is sent to it.")


class WebhookEndpointSchema(_EndpointFields):
    """The body of POST /v1/webhooks/endpoints."""

    url = WebhookUrl(required=True, about="Where events are sent: http or https, no user name in it.")


class WebhookEndpointChangeSchema(_EndpointFields):
    """The body of PATCH /v1/webhooks/endpoints/{id}: what is to be another."""

    url = WebhookUrl(about="Where events are sent from now on, those that wait for their next attempt, too.")


class WebhookRotationSchema(_Strict):
    """The body of a rotation."""

    grace_s = Number(0, MAX_GRACE_S, about="Seconds for which the secret before this one is valid yet.")


class WebhookReplaySchema(_Strict):
    """The body of POST /v1/webhooks/replay."""

    # `from` is a word of Python's.
    since = Number(0, _LAST_TIME, required=True, data_key="from", about="Unix seconds; deliveries made since then,")
    until = Number(0, _LAST_TIME, required=True, data_key="to", about="and up to then.")
    endpoint = Text(about=f"Only deliveries to this endpoint, `{PREFIX}...`.")
    status = Text(choices=ENDED, about="Only deliveries that ended so.")

    @validates_schema
    def check_range(self, data: dict[str, Any], **_: Any) -> None:
        """The range has a length."""
        if "since" in data and "until" in data and data["since"] > data["until"]:
            raise ValidationError("must not be before `from`", "to")


_ENDPOINT = WebhookEndpointSchema()
_CHANGE = WebhookEndpointChangeSchema()
_ROTATION = WebhookRotationSchema()
_REPLAY = WebhookReplaySchema()


def check_endpoint(body: dict[str, Any]) -> None:
    """Raise InvalidRequest that names the first field of a new endpoint's body at fault."""
    check_against(_ENDPOINT, body)


def check_change(body: dict[str, Any]) -> None:
    """The same for a change."""
    check_against(_CHANGE, body)


def check_rotation(body: dict[str, Any]) -> None:
    """The same for a rotation."""
    check_against(_ROTATION, body)


def check_replay(body: dict[str, Any]) -> None:
    """The same for a replay."""
    check_against(_REPLAY, body)

"""The URL of a webhook's receiver."""

import re
from typing import Any

from marshmallow import ValidationError

from workers.requests.fields import JsonField

LONGEST_URL = 2048
# http or https, a host name in ASCII or an address, a port. No user or password, which logs would show; no fragment.
_HOST = r"([A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])"
_PORT = r"(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4}))?"
_PATTERN = rf"^https?://{_HOST}{_PORT}([/?][!-\"$-~]*)?$"
_FORM = re.compile(_PATTERN)


class WebhookUrl(JsonField[str]):
    """A URL that can be posted to; where it leads is checked when it is used."""

    def json_schema(self) -> dict[str, Any]:
        """The same, as JSON Schema. Not `format: uri`, which refuses what every client takes."""
        return {"type": "string", "maxLength": LONGEST_URL, "pattern": _PATTERN}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str):
            raise ValidationError("must be a string")
        if len(value) > LONGEST_URL:
            raise ValidationError(f"must be at most {LONGEST_URL} characters")
        if "@" in re.split(r"[/?#]", value.partition("://")[2], maxsplit=1)[0]:
            raise ValidationError("must not hold a user name or password")
        if not _FORM.fullmatch(value):
            raise ValidationError("must be a whole http or https URL in ASCII, without a fragment")
        return value

"""What the body of PUT /v1/provider-keys/{provider} must look like. Its errors never quote the key."""

import re
from typing import Any

from marshmallow import RAISE, Schema, ValidationError

from workers.requests.fields import Flag, Text
from workers.requests.options_schema import check_against

LONGEST = 512
_FORM = "[!-~]*"
_VISIBLE = re.compile(_FORM)


class _Key(Text):
    """Visible ASCII, as an HTTP header can hold it."""

    def json_schema(self) -> dict[str, Any]:
        """A text of that form."""
        return {**super().json_schema(), "pattern": f"^{_FORM}$", "writeOnly": True}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        key = super()._deserialize(value, attr, data, **kwargs)
        if not _VISIBLE.fullmatch(key):
            raise ValidationError("must be visible ASCII characters without blanks")
        return key


class ProviderKeySchema(Schema):
    """The body of PUT /v1/provider-keys/{provider}."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "is no field of this request"}  # noqa: RUF012 - as marshmallow declares it

    api_key = _Key(LONGEST, 8, required=True, about="Your key at the provider.")
    fallback_to_shared = Flag(about="Whether the shared account may be called when the provider refuses this key.")


def check(body: dict[str, Any]) -> None:
    """Raise InvalidRequest that names the first field at fault."""
    check_against(ProviderKeySchema(), body)

"""The shape of providers.json: checks rows and makes ProviderConfig values. Reads no environment."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validates_schema

from config.fields import NAME, VARIABLE, Flag, Number, StrictSchema, Table, Text, Whole, Words, unknown_message
from config.provider import (
    DIALECTS,
    MODEL_NAME,
    RESPONDING_DIALECTS,
    Price,
    ProviderConfig,
    ProviderLimits,
    ProviderModel,
)

_CAPABILITY = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_HEADER_VALUE = re.compile(r"[ -~]{0,1024}")


class EndpointField(Text):
    """An http or https URL with a host, without credentials and fragment."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            "an http:// or https:// URL without credentials", re.compile(r"https?://[!-~]{1,1024}"), **kwargs
        )

    def read(self, value: Any) -> str:
        """The URL as it was written, without a trailing slash."""
        text = super().read(value)
        try:
            url = urlsplit(text)
            port_is_sound = url.port != 0
        except ValueError:
            raise self.refuse() from None
        if not url.hostname or "@" in url.netloc or url.fragment or not port_is_sound:
            raise self.refuse()
        return text.rstrip("/")


class DialectField(Text):
    """The name of a dialect the router speaks."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(f"the name of a dialect ({', '.join(DIALECTS)})", **kwargs)

    def read(self, value: Any) -> str:
        """The dialect's name as it stands."""
        name = super().read(value)
        if name not in DIALECTS:
            raise ValidationError(
                f"{unknown_message('dialect', name, DIALECTS)}; any OpenAI-compatible one is 'openai'"
            )
        return name


class PriceSchema(StrictSchema):
    """USD per million tokens."""

    input = Number(high=1e6, required=True)
    output = Number(high=1e6, required=True)
    cached_input = Number(high=1e6, load_default=None, allow_none=True)


class ModelSchema(StrictSchema):
    """One of a row's `models`."""

    price = fields.Nested(PriceSchema, load_default=None, allow_none=True)
    context_length = Whole(1, 10**9, load_default=None, allow_none=True)
    capabilities = Words("capability", _CAPABILITY, load_default=None, allow_none=True)


class LimitsSchema(StrictSchema):
    """A row's `limits`; null is no limit."""

    requests_per_minute = Whole(1, load_default=None, allow_none=True)
    requests_per_day = Whole(1, load_default=None, allow_none=True)
    tokens_per_minute = Whole(1, load_default=None, allow_none=True)


class ProviderSchema(StrictSchema):
    """One row of providers.json."""

    name = Text("the row's own key", NAME, load_default=None)
    type = DialectField(required=True)
    enabled = Flag(load_default=True)
    endpoint = EndpointField(required=True)
    api_key_env = Text(
        "the name of an environment variable, or null for a server without a key", VARIABLE, allow_none=True
    )
    api_key_envs = Words("name of an environment variable", VARIABLE, load_default=())
    capabilities = Words("capability", _CAPABILITY, load_default=("chat",))
    limits = fields.Nested(LimitsSchema, load_default=dict)
    models = Table("model name", MODEL_NAME, ModelSchema(), load_default=dict)
    concurrency = Whole(1, 10_000, load_default=ProviderConfig.__dataclass_fields__["concurrency"].default)
    timeout_s = Number(0, 86_400, above=True, load_default=ProviderConfig.__dataclass_fields__["timeout_s"].default)
    headers = Table("header name", _HEADER, Text("visible ASCII text", _HEADER_VALUE), load_default=dict)
    collects_data = Flag(load_default=None, allow_none=True)
    description = Text(load_default="")

    @validates_schema
    def refuse_secrets(self, data: Mapping[str, Any], **_: Any) -> None:
        """A key in `headers` would be a key in a file that is meant to be shared."""
        if any(name.lower() == "authorization" for name in data.get("headers", ())):
            raise ValidationError(
                {"headers": ["expected no Authorization header; name the key's variable in api_key_env"]}
            )

    @validates_schema
    def refuse_keys_of_the_keyless(self, data: Mapping[str, Any], **_: Any) -> None:
        """A server without a key has no further ones either."""
        if data["api_key_envs"] and "api_key_env" in data and data["api_key_env"] is None:
            raise ValidationError({"api_key_envs": ["expected none, as api_key_env is null: a server without a key"]})

    @validates_schema
    def refuse_responses(self, data: Mapping[str, Any], **_: Any) -> None:
        """The capability of an endpoint that the dialect has not."""
        if data["type"] in RESPONDING_DIALECTS:
            return
        problem = [f"expected no 'responses'; of the dialects, {', '.join(RESPONDING_DIALECTS)} have such an endpoint"]
        if "responses" in data["capabilities"]:
            raise ValidationError({"capabilities": problem})
        for model, entry in data["models"].items():
            if "responses" in (entry["capabilities"] or ()):
                raise ValidationError({"models": {model: {"capabilities": problem}}})


def provider_config(name: str, row: Mapping[str, Any]) -> ProviderConfig:
    """The provider a loaded row describes, not yet resolved; ValidationError where key and row name another."""
    if not NAME.fullmatch(name):
        raise ValidationError("expected a provider's name as the key (letters, digits, . _ -)")
    if row["name"] not in (None, name):
        raise ValidationError({"name": [f"expected {name!r}, the row's own key"]})
    return ProviderConfig(
        name=name,
        type=row["type"],
        endpoint=row["endpoint"],
        enabled=row["enabled"],
        api_key_env=row.get("api_key_env"),
        api_key_envs=row["api_key_envs"],
        keyless="api_key_env" in row and row["api_key_env"] is None,
        capabilities=frozenset(row["capabilities"]),
        limits=ProviderLimits(**row["limits"]),
        models={model: _model(entry) for model, entry in row["models"].items()},
        concurrency=row["concurrency"],
        timeout_s=float(row["timeout_s"]),
        headers=row["headers"],
        collects_data=row["collects_data"],
    )


def _model(entry: Mapping[str, Any]) -> ProviderModel:
    price, capabilities = entry["price"], entry["capabilities"]
    return ProviderModel(
        price=None if price is None else Price(**price),
        context_length=entry["context_length"],
        capabilities=None if capabilities is None else frozenset(capabilities),
    )

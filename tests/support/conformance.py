"""Whether an answer is one that the API's document tells of, to the last field."""

import re
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import requests

from api.security_headers import ALWAYS

# Headers for proxies and browsers.
_FOR_OTHERS = {"X-Accel-Buffering", *(name for name, _ in ALWAYS)}


def closed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with every object that is the router's own closed.

    It leaves them open, so that a field more breaks no client; here a field that it does not tell of is a fault.
    """
    schemas = document["components"]["schemas"]
    told = {name: value if name.endswith("Request") else _closed(value) for name, value in schemas.items()}
    return {**document, "components": {**document["components"], "schemas": told}}


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inside = {name: _closed(value) for name, value in schema.items()}
    return {"additionalProperties": False, **inside} if isinstance(inside.get("properties"), dict) else inside


class Conformance:
    """Holds answers against a document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = closed(document)
        paths = self._document["paths"]
        self._paths = {path: re.compile(re.sub(r"{\w+}", "(.+)", path.replace(".", r"\."))) for path in paths}

    def check(self, response: requests.Response) -> dict[str, Any]:
        """Status, type, headers and body of `response` are documented; its documentation."""
        answer = self._answer(response)
        assert answer["headers"].keys() >= self._ours(response), response.headers
        assert "X-Request-Id" in response.headers
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        content = answer.get("content", {})
        assert kind in (content or {""}), response.url
        if kind == "application/json":
            self.matches(content[kind]["schema"], response.json())
        return answer

    def event(self, response: requests.Response, data: Any) -> None:
        """`data` is what the stream of `response` is said to be made of."""
        self.matches(self._answer(response)["content"]["text/event-stream"]["x-itemSchema"], data)

    def matches(self, schema: Mapping[str, Any], value: Any) -> None:
        """`value` is what `schema`, of this document, says."""
        jsonschema_rs.validate({**schema, "components": self._document["components"]}, value)

    def _answer(self, response: requests.Response) -> dict[str, Any]:
        method, path = (response.request.method or "").lower(), requests.utils.urlparse(response.url).path
        # One without a parameter goes before one with.
        [found, *_] = sorted((known for known, form in self._paths.items() if form.fullmatch(path)), key=len)[::-1]
        found = path if path in self._paths else found
        answer: dict[str, Any] = self._document["paths"][found][method]["responses"][str(response.status_code)]
        return answer

    def _ours(self, response: requests.Response) -> set[str]:
        """The headers of `response` that callers may act on."""
        known = {"Location", "ETag", "Retry-After", "Retry-After-Ms", "Preference-Applied", "Idempotent-Replayed"}
        known |= {"Request-Id", "OpenAI-Processing-Ms"}
        return {name for name in response.headers if name in known or name.startswith("X-")} - _FOR_OTHERS

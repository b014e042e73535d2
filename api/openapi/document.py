"""The API's document, OpenAPI 3.1: made once, from the routes of the application and what each says of itself."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from typing import Any

from apispec import APISpec
from flask import Flask
from marshmallow import Schema
from werkzeug.routing import Rule

from api.openapi.converter import Plugin
from api.openapi.headers import REQUEST_ID, SENT
from api.openapi.operation import EVENTS, Answer, Operation, Parameter, operation_of
from api.openapi.shape import Shape

_ABOUT = """A self-hosted LLM gateway that is built on a queue. It speaks OpenAI's API: every request for a completion
becomes a durable job, which is routed, retried and failed over, and is answered, streamed, polled for or sent to a
webhook.

Fields that are not described here go to the provider as they are; null is as if absent. Errors are OpenAI's, and on
`/v1/messages` Anthropic's."""
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A tenant's key, as OpenAI's clients send it."},
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "The same key in another header.",
    },
}
_ADMIN_KEYS = {
    "admin": {"type": "http", "scheme": "bearer", "description": "The operator's key, which is no tenant's."},
    "admin_api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "The operator's key in another header.",
    },
}
_BETWEEN_WORDS = re.compile(r"\W+")
# A parameter in a rule of werkzeug's: <job_id>, <path:model>.
_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")


def routes(app: Flask) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Path in OpenAPI's form, method in lower case and view of each route; what Flask adds by itself left out."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield path_of(rule), method.lower(), app.view_functions[rule.endpoint]


def path_of(rule: Rule) -> str:
    """A route's path, with its parameters in braces."""
    return _VARIABLE.sub(r"{\1}", rule.rule)


def document(app: Flask) -> dict[str, Any]:
    """The document of all routes of `app` that are documented."""
    plugin = Plugin()
    spec = APISpec(
        title="Model Router",
        version=_version(),
        openapi_version="3.1.0",
        info={"description": _ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
        plugins=[plugin],
        servers=[{"url": "/"}],
    )
    for name, scheme in {**_KEYS, **_ADMIN_KEYS}.items():
        spec.components.security_scheme(name, scheme)
    writer = _Writer(spec, plugin)
    for path, method, view in routes(app):
        operation = operation_of(view)
        if operation is not None:
            name = _BETWEEN_WORDS.sub("_", f"{method}{path}").rstrip("_")
            told = writer.operation(name, operation, view)
            spec.path(path=path, operations={method: told})
    written: dict[str, Any] = spec.to_dict()
    return written


def _version() -> str:
    try:
        return metadata.version("model-router")
    except metadata.PackageNotFoundError:
        # Run from a checkout that was never installed.
        return "0"


class _Writer:
    """Writes operations, and puts each schema with a name among the components when it is met."""

    def __init__(self, spec: APISpec, plugin: Plugin) -> None:
        self._spec = spec
        converter = plugin.converter
        assert converter is not None, "a plugin has it once its spec is made"
        self._converter = converter
        self._known: dict[str, Shape] = {}

    def operation(self, name: str, told: Operation, view: Callable[..., Any]) -> dict[str, Any]:
        written: dict[str, Any] = {
            "operationId": name,
            "tags": [told.tag],
            "summary": told.summary,
            "description": inspect.getdoc(view) or "",
            "parameters": [_parameter(parameter) for parameter in (*told.parameters, REQUEST_ID)],
            "responses": {str(answer.status): self._answer(answer) for answer in sorted(told.answers, key=_status)},
            "security": [{name: []} for name in (_ADMIN_KEYS if told.admin else _KEYS)] if told.key else [],
        }
        if told.body is not None:
            media = {"schema": self._schema(told.body)}
            if told.example is not None:
                media["example"] = told.example
            written["requestBody"] = {"required": told.body_required, "content": {told.body_type: media}}
        return written

    def _answer(self, answer: Answer) -> dict[str, Any]:
        headers = {name: SENT[name] for name in (*answer.headers, "X-Request-Id", "OpenAI-Processing-Ms")}
        shown = {"description": answer.about, "headers": headers}
        content = {kind: self._media(kind, schema) for kind, schema in answer.content.items()}
        return {**shown, "content": content} if content else shown

    def _media(self, kind: str, schema: Any) -> dict[str, Any]:
        if kind != EVENTS:
            return {"schema": self._schema(schema)}
        about = "Server-sent events, numbered by `id`. `x-itemSchema` is what each event's `data` holds, as JSON."
        # OpenAPI 3.2 has itemSchema for it.
        return {"schema": {"type": "string", "description": about}, "x-itemSchema": self._schema(schema)}

    def _schema(self, schema: Any) -> Any:
        """The schema with references for all that has a name."""
        if isinstance(schema, Shape):
            return self._reference(schema)
        if isinstance(schema, type) and issubclass(schema, Schema):
            return self._converter.resolve_nested_schema(schema)
        if isinstance(schema, Mapping):
            return {name: self._schema(value) for name, value in schema.items()}
        if isinstance(schema, list | tuple):
            return [self._schema(value) for value in schema]
        return schema

    def _reference(self, shape: Shape) -> dict[str, str]:
        if shape.name not in self._known:
            self._known[shape.name] = shape
            self._spec.components.schema(shape.name, self._schema(shape.schema))
        elif self._known[shape.name] is not shape:
            raise ValueError(f"two shapes are called {shape.name}")
        return {"$ref": f"#/components/schemas/{shape.name}"}


def _status(answer: Answer) -> int:
    return answer.status


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.about,
        "required": parameter.place == "path",
        "schema": dict(parameter.schema),
    }

"""GET /openapi.json and GET /docs: the API's own description, for programs and for people. No key is needed."""

import hashlib
import json
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, current_app, request

from api.openapi.document import document
from api.openapi.headers import IF_NONE_MATCH
from api.openapi.operation import JSON, Answer, Operation, documented
from api.openapi.page import page
from api.openapi.shape import anything, mapping, text

blueprint = Blueprint("reference", __name__)
_EXTENSION = "model_router_reference"
_UNCHANGED = Answer(304, "It is what the caller has.", headers=("ETag",))


@dataclass(frozen=True, slots=True)
class Reference:
    """Both forms of the document, as bytes."""

    document: bytes
    page: bytes
    # The page's Content-Security-Policy.
    policy: str


def register(app: Flask) -> None:
    """Describe all routes of `app`, which must be there already."""
    app.register_blueprint(blueprint)
    told = document(app)
    written = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    shown = page(told)
    app.extensions[_EXTENSION] = Reference(written, shown.html.encode(), shown.policy)


@blueprint.get("/openapi.json")
@documented(
    Operation(
        tag="Reference",
        summary="This document",
        parameters=(IF_NONE_MATCH,),
        answers=(
            Answer(200, "OpenAPI 3.1.", {JSON: mapping("An OpenAPI document.", anything())}, ("ETag",)),
            _UNCHANGED,
        ),
        key=False,
    )
)
def openapi() -> Response:
    """The API's document, for generators of clients and for tools."""
    return _sent(_reference().document, JSON)


@blueprint.get("/docs")
@documented(
    Operation(
        tag="Reference",
        summary="This document as a page",
        parameters=(IF_NONE_MATCH,),
        answers=(Answer(200, "A page without scripts.", {"text/html": text()}, ("ETag",)), _UNCHANGED),
        key=False,
    )
)
def docs() -> Response:
    """The same, to be read in a browser."""
    response = _sent(_reference().page, "text/html")
    response.headers["Content-Security-Policy"] = _reference().policy
    return response


def _reference() -> Reference:
    found: Reference = current_app.extensions[_EXTENSION]
    return found


def _sent(body: bytes, kind: str) -> Response:
    response = Response(body, mimetype=kind)
    response.set_etag(hashlib.blake2b(body, digest_size=16).hexdigest())
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response

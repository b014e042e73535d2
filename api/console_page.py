"""GET /console: the web console, a page and its files, the same for everybody. Whose data it shows, its key decides."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from api.openapi.answers import refused
from api.openapi.headers import IF_NONE_MATCH
from api.openapi.operation import Answer, Operation, Parameter, documented
from api.openapi.shape import text

blueprint = Blueprint("console", __name__)
FOLDER = Path(__file__).parent / "console"
_KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
# Only the page's own files run, it talks to its own origin, and no text can become markup.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_FOR_EVER, _ASK_FIRST = "public, max-age=31536000, immutable", "no-cache"
_UNCHANGED = Answer(304, "It is what the caller has.", headers=("ETag",))


@dataclass(frozen=True, slots=True)
class Served:
    """A file as it is sent, in both encodings."""

    kind: str
    plain: bytes
    packed: bytes


@dataclass(frozen=True, slots=True)
class Site:
    """All files by their names; `version` is their hash, and part of their addresses."""

    version: str
    files: dict[str, Served]


@cache
def site() -> Site:
    """The files of the console, read once."""
    found = {path.relative_to(FOLDER).as_posix(): path for path in sorted(FOLDER.rglob("*")) if path.is_file()}
    digest = hashlib.blake2b(digest_size=8)
    for name, path in found.items():
        digest.update(f"{name}\n".encode() + path.read_bytes())
    version = digest.hexdigest()
    files = {name: _read(path, version) for name, path in found.items() if path.suffix in _KINDS}
    return Site(version, files)


def _read(path: Path, version: str) -> Served:
    body = path.read_bytes()
    if path.suffix == ".html":
        # Files refer to each other by their place, so this one names the version for all of them.
        body = body.replace(b"{{version}}", version.encode())
    return Served(_KINDS[path.suffix], body, gzip.compress(body, mtime=0))


@blueprint.get("/console")
@documented(
    Operation(
        tag="Console",
        summary="The console",
        parameters=(IF_NONE_MATCH,),
        answers=(Answer(200, "A page.", {"text/html": text()}, ("ETag",)), _UNCHANGED),
        key=False,
    )
)
def page() -> Response:
    """The web console. It asks for a key and keeps it in the browser's tab; nothing in the page itself is secret."""
    return _sent(site().files["index.html"], _ASK_FIRST)


@blueprint.get("/console/<version>/<path:name>")
@documented(
    Operation(
        tag="Console",
        summary="A file of the console",
        parameters=(
            Parameter("version", "path", "The hash of all files, as the page names it.", text()),
            Parameter("name", "path", "The file's name.", text()),
            IF_NONE_MATCH,
        ),
        answers=(
            Answer(200, "The file.", {kind: text() for kind in sorted(set(_KINDS.values()))}, ("ETag",)),
            _UNCHANGED,
            *refused(404),
        ),
        key=False,
    )
)
def file(version: str, name: str) -> Response:
    """A script, a style or a licence. Of another version than this process has, it is given and not kept."""
    found = site().files.get(name)
    if found is None:
        raise NotFound
    return _sent(found, _FOR_EVER if version == site().version else _ASK_FIRST)


def _sent(found: Served, keep: str) -> Response:
    packed = request.accept_encodings.quality("gzip") > 0
    body = found.packed if packed else found.plain
    response = Response(body, mimetype=found.kind)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.set_etag(hashlib.blake2b(body, digest_size=16).hexdigest())
    response.headers["Cache-Control"] = keep
    response.headers["Content-Security-Policy"] = POLICY
    response.make_conditional(request)
    return response

"""/v1/files: OpenAI's Files API. A tenant's files, to make batches of and what batches made."""

import contextlib
import re
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

import structlog
from flask import Blueprint, Response, request
from werkzeug.http import dump_options_header

from api import replies
from api.context import services
from api.openapi.answers import found, refused
from api.openapi.file_shapes import DELETED_FILE, FILE, FILES, UPLOAD
from api.openapi.operation import BYTES, FORM, Answer, Operation, Parameter, documented
from api.openapi.shape import text, word
from api.principal import Principal, authenticate
from api.upload import take_in
from routing.errors import InvalidRequest, NotFound, StorageUnavailable
from workers.file_sweep import remove
from workers.ledger.files import StoredFile

log = structlog.get_logger()
blueprint = Blueprint("files", __name__, url_prefix="/v1/files")
_FILE_ID = re.compile(r"file-[0-9a-f]{32}")
_MOST_FILES = 10_000
_ORDERS = ("asc", "desc")
# What of a file is sent at once.
_PIECE_BYTES = 256 * 1024
_FILE = Parameter("file_id", "path", "The file's id.", {"type": "string", "pattern": "^file-[0-9a-f]{32}$"})
_PURPOSE = Parameter("purpose", "query", "Only files with this purpose.", text())
_LIMIT = Parameter(
    "limit",
    "query",
    f"How many files, {_MOST_FILES} if left out.",
    {"type": "integer", "minimum": 1, "maximum": _MOST_FILES},
)
_ORDER = Parameter("order", "query", "The newest first, `desc`, if left out.", word(_ORDERS))
_AFTER = Parameter("after", "query", "The id of the file to begin after.", text())


@blueprint.post("")
@documented(
    Operation(
        tag="Files",
        summary="Upload a file",
        body=UPLOAD,
        body_type=FORM,
        example={"purpose": "batch", "file": "@requests.jsonl"},
        answers=(found(FILE, "The file."), *refused(400, 401, 413, 415, 503)),
    )
)
def create() -> Response:
    """Store a file. Its lines are looked at when a batch is made of it."""
    principal = authenticate()
    return replies.as_json(take_in(principal.tenant_id).as_object())


@blueprint.get("")
@documented(
    Operation(
        tag="Files",
        summary="List your files",
        parameters=(_PURPOSE, _LIMIT, _ORDER, _AFTER),
        answers=(found(FILES, "A page of the files."), *refused(400, 401, 503)),
    )
)
def index() -> Response:
    """The tenant's files in the order of their creation; a page of them."""
    principal = authenticate()
    limit, ascending, after = _page()
    purpose = request.args.get("purpose") or None
    page = services().ledger.files.page(principal.tenant_id, purpose, after, limit, ascending=ascending)
    if page is None:
        raise InvalidRequest("after: there is no such file", param="after")
    data = [file.as_object() for file in page.files]
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return replies.as_json({"object": "list", "data": data, **ends, "has_more": page.has_more})


@blueprint.get("/<file_id>")
@documented(
    Operation(
        tag="Files",
        summary="Look at a file",
        parameters=(_FILE,),
        answers=(found(FILE, "The file."), *refused(401, 404, 503)),
    )
)
def show(file_id: str) -> Response:
    """What is known of the file."""
    return replies.as_json(_read(file_id, authenticate()).as_object())


@blueprint.get("/<file_id>/content")
@documented(
    Operation(
        tag="Files",
        summary="Download a file",
        parameters=(_FILE,),
        answers=(
            Answer(200, "The file itself.", {BYTES: text()}, ("Content-Disposition",)),
            *refused(401, 404, 503),
        ),
    )
)
def content(file_id: str) -> Response:
    """The file's bytes, as they were stored."""
    file = _read(file_id, authenticate())
    held = contextlib.ExitStack()
    try:
        opened = held.enter_context(services().storage.reading(file.name))
    except FileNotFoundError:
        log.error("file.lost", file_id=file.id, name=file.name)  # noqa: TRY400 (where it was looked for says nothing)
        raise StorageUnavailable("the bytes of this file are not in the storage") from None
    response = Response(_pieces(opened), mimetype=BYTES)
    response.call_on_close(held.close)
    response.headers["Content-Length"] = str(file.bytes)
    response.headers["Content-Disposition"] = _disposition(file.filename)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@blueprint.delete("/<file_id>")
@documented(
    Operation(
        tag="Files",
        summary="Delete a file",
        parameters=(_FILE,),
        answers=(found(DELETED_FILE, "It was deleted."), *refused(401, 404, 503)),
    )
)
def delete(file_id: str) -> Response:
    """Delete the file. Nobody sees it from then on; its bytes go now, or when the storage is there again."""
    principal = authenticate()
    files = services().ledger.files
    name = files.hide(_checked(file_id), principal.tenant_id)
    if name is None:
        raise _absent(file_id)
    if remove(services().storage, name):
        files.forget([file_id])
    return replies.as_json({"id": file_id, "object": "file", "deleted": True})


def _read(file_id: str, principal: Principal) -> StoredFile:
    file = services().ledger.files.read(_checked(file_id), principal.tenant_id)
    if file is None:
        raise _absent(file_id)
    return file


def _checked(file_id: str) -> str:
    if not _FILE_ID.fullmatch(file_id):
        raise _absent(file_id)
    return file_id


def _absent(file_id: str) -> NotFound:
    return NotFound(f"No such File object: {file_id[:80]}", param="id")


def _disposition(filename: str) -> str:
    """RFC 6266: the name itself, and one in ASCII for those who know no other."""
    ascii_name = filename.encode("ascii", "ignore").decode() or "file"
    encoded = f"UTF-8''{quote(filename, safe='')}"
    return dump_options_header("attachment", {"filename": ascii_name, "filename*": encoded})


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _page() -> tuple[int, bool, str]:
    """The limit, whether the oldest come first, and the file to begin after; InvalidRequest for what is none."""
    given = request.args.get("limit", str(_MOST_FILES))
    limit = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0
    if not 1 <= limit <= _MOST_FILES:
        raise InvalidRequest(f"limit: must be a whole number from 1 to {_MOST_FILES}", param="limit")
    order = request.args.get("order", "desc")
    if order not in _ORDERS:
        raise InvalidRequest('order: must be "asc" or "desc"', param="order")
    after = request.args.get("after", "")
    if after and not _FILE_ID.fullmatch(after):
        raise InvalidRequest("after: there is no such file", param="after")
    return limit, order == "asc", after

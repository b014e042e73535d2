"""Taking in a file: its bytes go to the storage while they arrive, and it is there when they are all stored."""

import contextlib
import secrets
import time
from collections.abc import Iterator

import gevent
from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from api.context import services
from api.multipart import boundary_of
from api.upload_form import Form, read_form
from routing.errors import BodyTooLarge, InvalidRequest, RouterError, StorageUnavailable, StoreUnavailable
from workers.file_sweep import name_of, remove
from workers.ledger.files import HOLD_S, StoredFile

# What this product does something with.
UPLOADED = ("batch",)
# As OpenAI: how long a file for a batch is kept that does not say so itself, and how long one may say.
DEFAULT_S = 30 * 86_400
SHORTEST_S, LONGEST_S = 3600, 30 * 86_400
# What is taken from the body at once.
_PIECE_BYTES = 64 * 1024
# A form around its file.
_ROOM_BYTES = 64 * 1024
_ANCHOR, _SECONDS = "expires_after[anchor]", "expires_after[seconds]"


def take_in(tenant: str) -> StoredFile:
    """Store the file that this request uploads; InvalidRequest and its kin say what is wrong with it.

    Whatever fails, neither bytes nor record are left; what a process that dies leaves, the sweep removes.
    """
    boundary = boundary_of(request.content_type)
    limit = services().settings.max_file_bytes
    request.max_content_length = limit + _ROOM_BYTES
    file_id = f"file-{secrets.token_hex(16)}"
    files = services().ledger.files
    _reserve(file_id, tenant)
    try:
        with services().storage.writing(name_of(file_id)) as storing:
            form = read_form(_pieces(file_id, tenant, limit), boundary, storing.write, limit)
            lasts_s = _lasts_s(form)
            # Once more, so that it is due for removal if this process dies with all bytes stored.
            _reserve(file_id, tenant)
        stored = files.adopt(
            tenant, file_id, name_of(file_id), form.bytes, form.filename, form.fields["purpose"], expires_in_s=lasts_s
        )
    except BaseException:
        _abandon(file_id, tenant)
        raise
    if stored is None:
        _abandon(file_id, tenant)
        raise StorageUnavailable("the upload took too long and was given up; try again")
    return stored


def _reserve(file_id: str, tenant: str) -> None:
    if not services().ledger.files.reserve(file_id, tenant, name_of(file_id)):
        raise StorageUnavailable("the upload took too long and was given up; try again")


def _abandon(file_id: str, tenant: str) -> None:
    """Leave nothing of an upload that failed; where that cannot be done now, the sweep does it."""
    files = services().ledger.files
    with contextlib.suppress(StoreUnavailable):
        files.hide(file_id, tenant)
        if remove(services().storage, name_of(file_id)):
            files.forget([file_id])


def _pieces(file_id: str, tenant: str, limit: int) -> Iterator[bytes]:
    """The body as it comes. While it does, the upload is not given up."""
    told = time.monotonic()
    while piece := _piece(limit):
        yield piece
        if time.monotonic() - told > HOLD_S / 5:
            _reserve(file_id, tenant)
            told = time.monotonic()
        # A fast caller would have the process for itself.
        gevent.sleep(0)


def _piece(limit: int) -> bytes:
    try:
        return request.stream.read(_PIECE_BYTES)
    except RequestEntityTooLarge:
        raise BodyTooLarge(f"file: it is over {limit} bytes", param="file") from None
    except RouterError:
        raise
    except (ClientDisconnected, OSError, ParseException):
        raise InvalidRequest("the request body ended before it was whole") from None


def _lasts_s(form: Form) -> int:
    """How long the file is kept, in seconds; InvalidRequest names the field of the form that is wrong."""
    purpose = form.fields.get("purpose")
    if purpose is None:
        raise InvalidRequest("purpose: it is missing", param="purpose")
    if purpose not in UPLOADED:
        raise InvalidRequest(
            f"purpose: {purpose[:80]!r} is not supported here; it must be {' or '.join(UPLOADED)}", param="purpose"
        )
    anchor, seconds = form.fields.get(_ANCHOR), form.fields.get(_SECONDS)
    if anchor is None and seconds is None:
        return DEFAULT_S
    if anchor != "created_at":
        raise InvalidRequest(f"{_ANCHOR}: it must be created_at", param=_ANCHOR)
    if seconds is None or not seconds.isascii() or not seconds.isdigit() or len(seconds) > 10:
        raise InvalidRequest(f"{_SECONDS}: it must be a whole number", param=_SECONDS)
    if not SHORTEST_S <= int(seconds) <= LONGEST_S:
        raise InvalidRequest(f"{_SECONDS}: it must be from {SHORTEST_S} to {LONGEST_S}", param=_SECONDS)
    return int(seconds)

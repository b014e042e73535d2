"""Removes files that have expired or were deleted, and what uploads left that ended with their process."""

import structlog

from routing.errors import StorageUnavailable
from workers.ledger.files import Files
from workers.storage import Storage

log = structlog.get_logger()

# Half-written bytes that nobody has added to for so long are nobody's. Those of a file that is due go at once.
_IDLE_S = 86_400.0
_AT_ONCE = 100


def name_of(file_id: str) -> str:
    """Where an uploaded file is kept in the storage."""
    return f"files/{file_id}"


def sweep(files: Files, storage: Storage) -> int:
    """Remove all that is due; returns how many. Bytes that cannot be removed now are due again."""
    removed = 0
    while due := files.due(_AT_ONCE):
        gone = [file_id for file_id, name in due if remove(storage, name or name_of(file_id))]
        files.forget(gone)
        removed += len(gone)
        if len(gone) < len(due):
            break
    try:
        storage.sweep(_IDLE_S)
    except StorageUnavailable:
        log.warning("files.not_swept", why="the storage is away; tried again at the next turn")
    return removed


def remove(storage: Storage, name: str) -> bool:
    """Remove bytes; False where the storage is away."""
    try:
        storage.delete(name)
    except StorageUnavailable:
        return False
    return True

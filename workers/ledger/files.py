"""What the ledger knows of files; their bytes are in the storage (workers/storage.py).

A file is written down as due for removal before its first byte is stored, and becomes visible in one step after its
last. Whoever dies in between leaves what the sweep (workers/file_sweep.py) finds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workers.ledger.steps import Steps

# How long an upload may be silent before it is given up.
HOLD_S = 300.0
# How long whoever removes bytes has for it before another does.
_REMOVAL_S = 60.0
# How many files one step looks at.
PAGE = 500


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that its tenant can see. Times are Unix seconds; `expires_at` None is never."""

    id: str
    # Where its bytes are, in the storage.
    name: str
    filename: str
    purpose: str
    bytes: int
    created_at: int
    expires_at: int | None

    def as_object(self) -> dict[str, Any]:
        """The file as OpenAI's API shows it."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.bytes,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


@dataclass(frozen=True, slots=True)
class FilePage:
    """Some of a tenant's files, and whether there are more."""

    files: list[StoredFile]
    has_more: bool


class Files:
    """Each method but `page` is one atomic step and one (shared) round trip; StoreUnavailable where Redis is away."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def reserve(self, file_id: str, tenant: str, name: str, hold_s: float = HOLD_S) -> bool:
        """Write down that a file is coming; told again within `hold_s`, or adopted, it stays.

        False: it was given up. To be told again just before the bytes are whole in the storage, so that they are
        removed as well if nobody adopts them.
        """
        return bool(self._steps.run("file_reserve", file_id, tenant, name, max(int(hold_s * 1000), 1)))

    def adopt(
        self,
        tenant: str,
        file_id: str,
        name_in_storage: str,
        bytes: int,  # noqa: A002 (the API's word for it)
        filename: str,
        purpose: str,
        expires_at: int | None = None,
        *,
        expires_in_s: int | None = None,
    ) -> StoredFile | None:
        """Make a finished object of the storage a visible file; again, it changes nothing.

        It expires at `expires_at` (Unix seconds), or `expires_in_s` after now; without either never. None where it was
        given up or deleted meanwhile: its bytes are removed, or will be. One that nobody reserved is taken as well.
        """
        at = "" if expires_at is None else expires_at * 1000
        lasts = "" if expires_in_s is None else expires_in_s * 1000
        words = (file_id, tenant, name_in_storage, bytes, filename, purpose, at, lasts)
        return _stored(self._steps.run("file_adopt", *words))

    def read(self, file_id: str, tenant: str) -> StoredFile | None:
        """The file; None when the tenant sees no such file."""
        return _stored(self._steps.run("file_read", file_id, tenant))

    def page(self, tenant: str, purpose: str | None, after: str, limit: int, *, ascending: bool) -> FilePage | None:
        """Up to `limit` files after the one with the id `after` ('' for the start); None where there is no such id."""
        found: list[StoredFile] = []
        while True:
            reply = self._steps.run("file_page", tenant, after, PAGE, "asc" if ascending else "desc")
            if not reply:
                return None
            files = filter(None, map(_stored, reply[2:]))
            found += [file for file in files if purpose is None or file.purpose == purpose]
            if len(found) > limit or reply[0]:
                return FilePage(found[:limit], has_more=len(found) > limit)
            after = reply[1].decode()

    def hide(self, file_id: str, tenant: str) -> str | None:
        """Take the file from its tenant; its name in the storage, whose bytes are to be removed. None: no such file."""
        name: bytes | None = self._steps.run("file_hide", file_id, tenant)
        return None if name is None else name.decode()

    def due(self, limit: int = 100) -> list[tuple[str, str]]:
        """Files that are given up now, as (id, name in the storage); the caller removes the bytes and forgets them."""
        flat = [word.decode() for word in self._steps.run("file_due", limit, int(_REMOVAL_S * 1000))]
        return list(zip(flat[::2], flat[1::2], strict=True))

    def forget(self, file_ids: Sequence[str]) -> None:
        """Bytes are removed: nothing is due any more. Of a file that is visible nothing is forgotten."""
        if file_ids:
            self._steps.run("file_forget", *file_ids)


def _stored(reply: list[bytes] | None) -> StoredFile | None:
    if not reply:
        return None
    file_id, name, filename, purpose, size, created, expires = (word.decode() for word in reply)
    return StoredFile(
        id=file_id,
        name=name,
        filename=filename,
        purpose=purpose,
        bytes=int(size),
        created_at=int(float(created)) // 1000,
        expires_at=int(float(expires)) // 1000 if expires else None,
    )

"""What a batch has come to, in the storage: parts while it runs, and the two files they become."""

import hashlib
from collections.abc import Iterable, Sequence

from workers.batches.part import Part
from workers.storage import Storage

ANSWERS, ERRORS = "out", "err"
_BLOCK = 1024 * 1024


def file_id(batch_id: str, kind: str) -> str:
    """The id of the file that a batch's answers or errors become: the same whichever process makes it."""
    return f"file-{hashlib.blake2b(f'{batch_id} {kind}'.encode(), digest_size=16).hexdigest()}"


class Output:
    """The output of one batch, as one holder of it writes it."""

    def __init__(self, storage: Storage, batch_id: str, epoch: int) -> None:
        self._storage = storage
        self._batch_id = batch_id
        self._epoch = epoch

    def store(self, number: int, part: Part) -> str:
        """Store a part; returns its name. Until that is written down in the ledger, it counts for nothing."""
        # Two processes that both take themselves for the holder never write the same name.
        name = f"{number:06d}-{self._epoch}"
        for kind, lines in ((ANSWERS, part.answers), (ERRORS, part.errors)):
            if lines:
                with self._storage.writing(_path(self._batch_id, name, kind)) as file:
                    file.write(b"".join(lines))
        return name

    def assemble(self, names: Sequence[str], kind: str, target: str) -> int:
        """Make the parts of one kind one file at `target`; its size in bytes. 0: there are none, and no file."""
        with self._storage.writing(target) as file:
            for block in read_parts(self._storage, self._batch_id, names, kind):
                file.write(block)
            size = file.tell()
        if not size:
            self._storage.delete(target)
        return size

    def clear(self) -> None:
        """Remove the parts, and the batch's copy of its input."""
        self._storage.delete_under(f"batches/{self._batch_id}")


def read_parts(storage: Storage, batch_id: str, names: Sequence[str], kind: str) -> Iterable[bytes]:
    """The stored lines of one kind, in blocks."""
    for name in names:
        try:
            with storage.reading(_path(batch_id, name, kind)) as file:
                while block := file.read(_BLOCK):
                    yield block
        except FileNotFoundError:
            # A part has a file of a kind only where it has lines of it.
            continue


def _path(batch_id: str, name: str, kind: str) -> str:
    return f"batches/{batch_id}/{name}.{kind}"

"""Files of the storage as they are written and read: in blocks, each handled in a thread."""

import io
from collections.abc import Callable
from typing import Any

# How much goes to, or comes from, the storage at once.
BLOCK_BYTES = 1024 * 1024


class Writing:
    """A file that is being written, block by block."""

    def __init__(self, file: Any, apart: Callable[..., Any]) -> None:
        self._file = file
        self._apart = apart
        self._held: list[bytes] = []
        self._held_bytes = 0
        self.written = 0

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Add `data`; StorageUnavailable where there is no room for it, at the latest when the block ends."""
        piece = bytes(data)
        self._held.append(piece)
        self._held_bytes += len(piece)
        self.written += len(piece)
        if self._held_bytes >= BLOCK_BYTES:
            self.flush()
        return len(piece)

    def tell(self) -> int:
        """How many bytes were written."""
        return self.written

    def flush(self) -> None:
        """Hand on what is held back."""
        block, self._held, self._held_bytes = b"".join(self._held), [], 0
        if block:
            self._apart(self._file.write, block)


class Reading(io.RawIOBase):
    """A file that is read in threads."""

    def __init__(self, file: Any, apart: Callable[..., Any]) -> None:
        self._file = file
        self._apart = apart

    def readable(self) -> bool:
        """It is for that."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As RawIOBase; StorageUnavailable where the place is away."""
        data = self._apart(self._file.read, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """End reading; again is fine."""
        if not self.closed:
            super().close()
            self._file.close()

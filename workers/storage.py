"""Where the bytes of files are kept: a local folder, or any place that fsspec has a name for."""

import contextlib
import io
import os
import posixpath
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, cast

import fsspec
import structlog
from fsspec.implementations.local import LocalFileSystem
from fsspec.registry import known_implementations
from gevent.threadpool import ThreadPool

from config.settings import SettingError
from routing.errors import StorageUnavailable

log = structlog.get_logger()
T = TypeVar("T")

# How much goes to, or comes from, the storage at once.
BLOCK_BYTES = 1024 * 1024
# What is being written stands here until it is whole. No name can begin with a dot.
PARTS = ".parts"
# A name's own separator is no character of one, so a part's name tells whose it is.
_SEPARATOR = "+"
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
# Slow storage holds up those who use it, and neither the event loop nor its look-ups of names.
_THREADS = 8


class Storage:
    """Where bytes of files are kept: any place fsspec has a name for.

    Names are like `files/file-abc`. What the place itself meets (full, forbidden, unreachable) is StorageUnavailable.
    """

    def __init__(self, url: str) -> None:
        """`url` is a folder, or as fsspec writes it (`s3://bucket/prefix`); SettingError where its scheme has no code.

        Connects to nothing yet.
        """
        self._fs, self._root = _place(url)
        self._local = isinstance(self._fs, LocalFileSystem)
        self._pool = ThreadPool(_THREADS)

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator["Writing"]:
        """A file to write; it is there under `name`, in place of what was, once the block has ended well."""
        target = self._path(name)
        part = self._part(name)
        file = self._apart(self._create, part)
        writing = Writing(file, self._apart)
        try:
            yield writing
            writing.flush()
            self._apart(self._publish, file, part, target)
        except BaseException:
            # That it cannot be removed either says nothing more; `sweep` comes back to it.
            with contextlib.suppress(StorageUnavailable):
                self._apart(self._discard, file, part)
            raise

    @contextlib.contextmanager
    def reading(self, name: str, offset: int = 0) -> Iterator[BinaryIO]:
        """The file `name` from byte `offset` on; FileNotFoundError where there is none."""
        source = self._existing(self._open, self._path(name), offset)
        with io.BufferedReader(_Reading(source, self._apart), BLOCK_BYTES) as file:
            yield file

    def size(self, name: str) -> int:
        """How many bytes `name` has; FileNotFoundError where there is none."""
        return self._existing(self._size, self._path(name))

    def delete(self, name: str) -> None:
        """Remove `name`, and what a dead process left of it half-written; that there is none is fine."""
        self._apart(self._remove, self._path(name))
        self._forget_parts(f"{_flat(name)}{_SEPARATOR}{_SEPARATOR}")

    def delete_under(self, prefix: str) -> None:
        """Remove every name that begins with `prefix` and a slash; that there is none is fine."""
        self._apart(self._remove_folder, self._path(prefix))
        self._forget_parts(f"{_flat(prefix)}{_SEPARATOR}")

    def sweep(self, idle_s: float) -> int:
        """Remove what was half-written by processes that died: parts nobody has added to for `idle_s`; how many."""
        oldest = time.time() - idle_s
        idle = [part for part, modified in self._apart(self._parts) if modified is not None and modified < oldest]
        for part in idle:
            self._apart(self._remove, part)
        return len(idle)

    def _forget_parts(self, beginning: str) -> None:
        for part, _ in self._apart(self._parts):
            if posixpath.basename(part).startswith(beginning):
                self._apart(self._remove, part)

    def _path(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a file in storage")
        return f"{self._root}/{name}"

    def _part(self, name: str) -> str:
        token = secrets.token_hex(8)
        return f"{self._root}/{PARTS}/{_flat(name)}{_SEPARATOR}{_SEPARATOR}{token}"

    def _apart(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call `function` in a thread: the event loop goes on meanwhile. What it meets becomes StorageUnavailable."""
        outcome: _Outcome[T] = self._pool.apply(_outcome, (function, arguments))
        if outcome.error is not None:
            error = outcome.error
            log.warning("storage.unavailable", error=f"{type(error).__name__}: {error}"[:500])
            raise StorageUnavailable("the storage of files is not available; try again", retry_after_s=5) from error
        return outcome.value

    def _existing(self, function: Callable[..., T], path: str, *arguments: Any) -> T:
        """The same for what must be there: FileNotFoundError where it is not."""
        found: T | None = self._apart(_unless_absent, function, path, *arguments)
        if found is None:
            raise FileNotFoundError(path)
        return found

    # What follows runs in threads.

    def _create(self, part: str) -> Any:
        try:
            return self._fs.open(part, "wb")
        except FileNotFoundError:
            self._fs.makedirs(posixpath.dirname(part), exist_ok=True)
            return self._fs.open(part, "wb")

    def _publish(self, file: Any, part: str, target: str) -> None:
        if self._local:
            file.flush()
            os.fsync(file.fileno())
        file.close()
        try:
            self._move(part, target)
        except FileNotFoundError:
            self._fs.makedirs(posixpath.dirname(target), exist_ok=True)
            self._move(part, target)

    def _move(self, part: str, target: str) -> None:
        if not self._local:
            self._fs.mv(part, target)
            return
        Path(part).replace(target)
        folder = os.open(posixpath.dirname(target), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _discard(self, file: Any, part: str) -> None:
        with contextlib.suppress(Exception):
            file.close()
        self._remove(part)

    def _open(self, path: str, offset: int) -> Any:
        file = self._fs.open(path, "rb")
        if isinstance(file, io.BytesIO):
            # fsspec's memory has one file, and one position in it, for all who read.
            file = io.BytesIO(file.getvalue())
        file.seek(offset)
        return file

    def _size(self, path: str) -> int:
        self._fs.invalidate_cache()
        return int(self._fs.info(path)["size"])

    def _remove(self, path: str) -> None:
        self._fs.invalidate_cache()
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def _remove_folder(self, path: str) -> None:
        self._fs.invalidate_cache()
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm(path, recursive=True)

    def _parts(self) -> list[tuple[str, float | None]]:
        """What is being written, with when it was last added to (Unix seconds; None: the place does not tell)."""
        self._fs.invalidate_cache()
        try:
            found = self._fs.ls(f"{self._root}/{PARTS}", detail=True)
        except FileNotFoundError:
            return []
        return [(entry["name"], _modified(entry)) for entry in found]


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


class _Reading(io.RawIOBase):
    """A file that is read in threads."""

    def __init__(self, file: Any, apart: Callable[..., Any]) -> None:
        self._file = file
        self._apart = apart

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._apart(self._file.read, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._file.close()


def _place(url: str) -> tuple[Any, str]:
    """The file system of `url`, and the folder in it."""
    scheme = url.partition("://")[0] if "://" in url else "file"
    try:
        fs, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        known = known_implementations.get(scheme, {})
        package = str(known.get("class", "")).partition(".")[0]
        wanted = f"the package {package}" if package and package != "fsspec" else str(known.get("err", error))
        raise SettingError(
            f"MODEL_ROUTER_FILES_URL: {scheme}:// needs {wanted}, which is not installed here: pip install it"
        ) from error
    except (ValueError, TypeError, OSError) as error:
        raise SettingError(f"MODEL_ROUTER_FILES_URL cannot be used: {error}") from error
    return fs, str(root).rstrip("/")


@dataclass(frozen=True, slots=True)
class _Outcome(Generic[T]):
    """What a call in a thread came to: gevent would print an exception that leaves its thread."""

    value: T
    error: Exception | None = None


def _outcome(function: Callable[..., T], arguments: tuple[Any, ...]) -> _Outcome[T]:
    try:
        return _Outcome(function(*arguments))
    except Exception as error:  # noqa: BLE001 (each place has a library of its own, with errors of its own)
        return _Outcome(cast("T", None), error)


def _unless_absent(function: Callable[..., T], *arguments: Any) -> T | None:
    try:
        return function(*arguments)
    except FileNotFoundError:
        return None


def _flat(name: str) -> str:
    return name.replace("/", _SEPARATOR)


def _modified(entry: dict[str, Any]) -> float | None:
    for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = entry.get(key)
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, datetime):
            return value.timestamp()
    return None

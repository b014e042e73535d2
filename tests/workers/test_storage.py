"""Storage: a file is there whole or not at all, wherever it is kept."""

import os
import resource
import secrets
import time

import pytest

from config.settings import SettingError
from routing.errors import StorageUnavailable
from workers.storage import PARTS, Storage


@pytest.fixture(params=["file", "memory"])
def place(request, tmp_path):
    """A local folder, and an object store with the same words."""
    return f"file://{tmp_path}/files" if request.param == "file" else f"memory://{secrets.token_hex(8)}"


@pytest.fixture
def storage(place):
    return Storage(place)


def put(storage, name, data):
    with storage.writing(name) as file:
        file.write(data)


def get(storage, name, offset=0):
    with storage.reading(name, offset) as file:
        return file.read()


def test_what_was_written_is_read(storage):
    """Bytes come back as they went in, also those of several blocks, from any offset on and line by line."""
    data = os.urandom(3_000_000) + b"\nlast line\n"
    with storage.writing("files/one") as file:
        for start in range(0, len(data), 70_001):
            file.write(data[start : start + 70_001])
        assert file.tell() == len(data)
    assert get(storage, "files/one") == data
    assert get(storage, "files/one", 2_999_990) == data[2_999_990:]
    assert storage.size("files/one") == len(data)
    with storage.reading("files/one", 3_000_001) as file:
        assert list(file) == [b"last line\n"]


def test_nothing_is_there_before_the_end(storage):
    """While it is written nobody reads it, and what was there before stays."""
    with storage.writing("files/one") as file:
        file.write(b"x" * 2_000_000)
        with pytest.raises(FileNotFoundError):
            storage.size("files/one")
    with storage.writing("files/one") as file:
        file.write(b"second")
        file.flush()
        assert storage.size("files/one") == 2_000_000
    assert get(storage, "files/one") == b"second"


def fail(storage, name, kind):
    with storage.writing(name) as file:
        file.write(b"x" * 2_000_000)
        raise kind


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_a_failure_leaves_nothing(storage, kind):
    """Whatever ends the block, nothing is there afterwards, and what was there before still is."""
    put(storage, "files/two", b"before")
    for name in ("files/one", "files/two"):
        with pytest.raises(kind):
            fail(storage, name, kind)
    assert get(storage, "files/two") == b"before"
    with pytest.raises(FileNotFoundError):
        get(storage, "files/one")
    assert storage.sweep(-60) == 0


def test_two_writers_do_not_meet(storage):
    """Each writes its own, and the last to end is what stays."""
    with storage.writing("batches/b/1") as first:
        with storage.writing("batches/b/1") as second:
            first.write(b"first")
            second.write(b"second, longer")
        assert get(storage, "batches/b/1") == b"second, longer"
    assert get(storage, "batches/b/1") == b"first"


def test_two_readers_do_not_meet(storage):
    """Each has a position of its own."""
    put(storage, "files/one", b"abcdef")
    with storage.reading("files/one") as first, storage.reading("files/one", 3) as second:
        assert (first.read(1), second.read(1), first.read(1), second.read(1)) == (b"a", b"d", b"b", b"e")


def test_deleting(storage):
    """A file, a folder, and what there is none of."""
    for name in ("files/one", "batches/b/1", "batches/b/2", "batches/bc/1"):
        put(storage, name, b"x")
    storage.delete("files/one")
    storage.delete("files/one")
    storage.delete_under("batches/b")
    storage.delete_under("batches/b")
    for name in ("files/one", "batches/b/1", "batches/b/2"):
        with pytest.raises(FileNotFoundError):
            storage.size(name)
    assert storage.size("batches/bc/1") == 1


def test_a_dead_writer_leaves_nothing_for_ever(tmp_path):
    """What a killed process had half-written goes with its name, and by itself when nobody adds to it any more."""
    storage = Storage(str(tmp_path))
    # Held until the test is over: a writer that is forgotten is ended, and cleans up.
    writers = [storage.writing(name) for name in ("files/one", "files/one-more", "batches/b/1")]
    for writer in writers:
        writer.__enter__().write(b"x" * 2_000_000)
    assert len(list((tmp_path / PARTS).iterdir())) == 3
    storage.delete("files/one")
    storage.delete_under("batches")
    (left,) = (tmp_path / PARTS).iterdir()
    assert "one-more" in left.name
    assert storage.sweep(60) == 0
    os.utime(left, (time.time() - 100, time.time() - 100))
    assert storage.sweep(60) == 1
    assert not list((tmp_path / PARTS).iterdir())


@pytest.mark.parametrize("name", ["", "../x", "a/../b", "/etc/passwd", "a//b", "a/", ".parts/x", "a b", "a\n", "a\0b"])
def test_names_stay_inside(storage, name):
    """No name leads out of the storage, or to what is only being written."""
    with pytest.raises(ValueError, match="cannot be the name"):
        storage.size(name)


def test_what_the_place_meets_is_one_error(tmp_path):
    """A folder that cannot be one: StorageUnavailable, on every way."""
    (tmp_path / "file").write_text("")
    storage = Storage(str(tmp_path / "file"))
    with pytest.raises(StorageUnavailable), storage.writing("files/one"):
        pass
    with pytest.raises(StorageUnavailable):
        storage.size("files/one")
    with pytest.raises(StorageUnavailable):
        storage.delete("files/one")


@pytest.fixture
def no_room():
    """No file of this process may grow beyond 1 MB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("no_room")
def test_a_full_disk_is_told(tmp_path):
    """No room is StorageUnavailable, and nothing is there."""
    storage = Storage(str(tmp_path))
    with pytest.raises(StorageUnavailable):
        put(storage, "files/one", b"x" * 2_000_000)
    with pytest.raises(FileNotFoundError):
        storage.size("files/one")
    assert not list((tmp_path / PARTS).iterdir())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://bucket/x", "the package s3fs"),
        ("gs://bucket", "the package gcsfs"),
        ("abfs://box", "the package adlfs"),
        ("nonsense://x", "nonsense"),
    ],
)
def test_a_place_without_its_code(url, said):
    """A scheme nobody knows, and one whose package is missing: told with the setting's name, at start."""
    with pytest.raises(SettingError, match=f"MODEL_ROUTER_FILES_URL.*{said}"):
        Storage(url)

"""What the ledger knows of files: visible when they are whole, never to others, and due for removal whoever dies."""

import itertools
import time

import pytest

from workers.file_sweep import name_of, sweep
from workers.storage import Storage

NUMBERS = itertools.count()


@pytest.fixture
def files(ledger):
    return ledger.files


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "files"))


def new_id():
    return f"file-{next(NUMBERS):032x}"


def add(files, tenant="acme", purpose="batch", **options):
    """A file that is there."""
    file_id = new_id()
    return files.adopt(tenant, file_id, name_of(file_id), 5, f"{file_id}.jsonl", purpose, **options)


def store(storage, name, data=b"bytes"):
    with storage.writing(name) as file:
        file.write(data)


def is_stored(storage, name):
    try:
        return storage.size(name) == 5
    except FileNotFoundError:
        return False


def lapse(redis, settings, file_id):
    """Have what a file is due for be now."""
    redis.zadd(f"{settings.key_prefix}file_expiry", {file_id: time.time() * 1000 - 1})


def test_a_file_is_seen_once_it_is_adopted(files):
    """Before that nobody sees it; after it its own tenant does, and no other."""
    file_id = new_id()
    assert files.reserve(file_id, "acme", name_of(file_id))
    assert files.read(file_id, "acme") is None
    assert files.page("acme", None, "", 10, ascending=True).files == []
    adopted = files.adopt("acme", file_id, name_of(file_id), 5, "a.jsonl", "batch", expires_in_s=3600)
    assert adopted == files.read(file_id, "acme")
    assert files.page("acme", None, "", 10, ascending=True).files == [adopted]
    assert (adopted.bytes, adopted.filename, adopted.purpose) == (5, "a.jsonl", "batch")
    assert adopted.expires_at == adopted.created_at + 3600
    assert abs(adopted.created_at - time.time()) < 60
    assert files.read(file_id, "rival") is None
    assert files.hide(file_id, "rival") is None
    assert files.page("rival", None, "", 10, ascending=True).files == []
    assert files.adopt("rival", file_id, "files/other", 5, "b", "batch") is None
    assert files.read(file_id, "acme") == adopted


def test_adopting_again_changes_nothing(files, redis, settings):
    """A step that is repeated leaves the file as it was, also its place in the list."""
    first = add(files, expires_at=int(time.time()) + 100)
    again = files.adopt("acme", first.id, "files/elsewhere", 9, "other", "batch_output")
    assert again == first
    assert files.page("acme", None, "", 10, ascending=True).files == [first]
    assert redis.zscore(f"{settings.key_prefix}file_expiry", first.id) == first.expires_at * 1000


def test_a_file_without_an_expiry_stays(files, redis, settings):
    """It is due for nothing."""
    file_id = new_id()
    files.reserve(file_id, "acme", "batches/b/output")
    kept = files.adopt("acme", file_id, "batches/b/output", 5, "o", "batch_output")
    assert kept.expires_at is None
    assert redis.zcard(f"{settings.key_prefix}file_expiry") == 0


def test_an_expired_file_is_not_seen(files, storage):
    """Nobody sees it any more though no sweep has come by; the sweep removes its bytes and its place in the list."""
    gone = add(files, expires_at=int(time.time()) - 1)
    assert gone is None
    [(file_id, name)] = files.due()
    store(storage, name)
    assert files.page("acme", None, "", 10, ascending=False).files == []
    assert files.due() == []
    files.forget([file_id])
    assert files.read(file_id, "acme") is None


def test_what_is_due_is_due_again_until_it_is_forgotten(files, redis, settings):
    """Whoever takes it and dies leaves it to the next, after a while."""
    kept = add(files, expires_in_s=3600)
    lapse(redis, settings, kept.id)
    assert files.due() == [(kept.id, kept.name)]
    assert files.due() == []
    assert files.read(kept.id, "acme") is None
    lapse(redis, settings, kept.id)
    assert files.due() == [(kept.id, kept.name)]
    files.forget([kept.id])
    lapse(redis, settings, new_id())
    assert redis.zscore(f"{settings.key_prefix}file_expiry", kept.id) is None


def test_forgetting_a_visible_file_does_nothing_to_it(files):
    """Only bytes that nobody may see are forgotten."""
    kept = add(files)
    files.forget([kept.id])
    assert files.read(kept.id, "acme") == kept


def test_what_was_given_up_does_not_come_back(files, storage):
    """Who comes late with an upload, or a batch's output that was deleted since, finds it gone."""
    late, deleted = new_id(), add(files)
    files.reserve(late, "acme", name_of(late), hold_s=0.001)
    time.sleep(0.01)
    assert files.hide(deleted.id, "acme") == deleted.name
    assert sweep(files, storage) == 2
    for file_id in (late, deleted.id):
        assert not files.reserve(file_id, "acme", name_of(file_id))
        assert files.adopt("acme", file_id, name_of(file_id), 5, "a", "batch") is None
        assert files.read(file_id, "acme") is None


def test_a_list_is_read_page_by_page(files):
    """Each file once, in the order of creation, both ways; by purpose; and past files that are deleted meanwhile."""
    made = [add(files, purpose="batch" if number % 3 else "batch_output") for number in range(20)]
    order = [file.id for file in sorted(made, key=lambda file: file.id)]
    for ascending, wanted in ((True, order), (False, order[::-1])):
        found, after = [], ""
        while True:
            page = files.page("acme", None, after, 3, ascending=ascending)
            found += [file.id for file in page.files]
            if not page.has_more:
                break
            after = found[-1]
            if ascending:
                files.hide(after, "acme")
                files.forget([after])
        assert sorted(found) == sorted(wanted if ascending else set(order) - set(order[2:18:3]))
        if not ascending:
            assert found == sorted(found, key=wanted.index)
    outputs = files.page("acme", "batch_output", "", 2, ascending=False)
    assert {file.purpose for file in outputs.files} == {"batch_output"}
    assert outputs.has_more
    assert files.page("acme", None, new_id(), 3, ascending=True) is None
    assert files.page("rival", None, made[0].id, 3, ascending=True) is None


def test_many_files_of_one_millisecond_are_listed(files, redis, settings):
    """More than a step looks at, all created at once: each is listed once, both ways."""
    made = {add(files).id for _ in range(1203)}
    redis.zadd(f"{settings.key_prefix}files:acme", dict.fromkeys(made, 5))
    for file_id in made:
        redis.hset(f"{settings.key_prefix}file:{file_id}", "created", 5)
    for ascending in (True, False):
        first = files.page("acme", None, "", 700, ascending=ascending)
        rest = files.page("acme", None, first.files[-1].id, 700, ascending=ascending)
        ids = [file.id for file in (*first.files, *rest.files)]
        assert ids == sorted(made, reverse=not ascending)
        assert (first.has_more, rest.has_more) == (True, False)


STEPS = ("reserved", "writing", "stored", "adopted", "hidden", "removed")


@pytest.mark.parametrize("step", STEPS)
def test_dying_after_any_step_leaves_nothing_for_ever(files, storage, redis, settings, step):
    """Whatever a process had done of an upload, or of a removal, the sweep finds; only a whole file stays."""
    file_id = new_id()
    name = name_of(file_id)
    done = STEPS.index(step)
    files.reserve(file_id, "acme", name)
    writing = storage.writing(name)
    if done == 1:
        writing.__enter__().write(b"x" * 2_000_000)
    if done >= 2:
        store(storage, name)
    if done >= 3:
        files.adopt("acme", file_id, name, 5, "a", "batch", expires_in_s=3600)
    if done >= 4:
        files.hide(file_id, "acme")
    if done >= 5:
        storage.delete(name)
    if step == "adopted":
        assert sweep(files, storage) == 0
        assert is_stored(storage, name)
        assert files.read(file_id, "acme") is not None
    assert files.read(file_id, "acme") is None or step == "adopted"
    lapse(redis, settings, file_id)
    assert sweep(files, storage) == 1
    assert not is_stored(storage, name)
    assert storage.sweep(-60) == 0
    assert files.read(file_id, "acme") is None
    assert redis.zcard(f"{settings.key_prefix}file_expiry") == 0
    assert redis.zcard(f"{settings.key_prefix}files:acme") == 0
    assert 0 < redis.ttl(f"{settings.key_prefix}file:{file_id}") <= settings.retention_s


def test_bytes_that_cannot_be_removed_are_due_again(files, tmp_path, redis, settings):
    """A storage that is away keeps nobody from being swept later."""
    (tmp_path / "file").write_text("")
    away = Storage(str(tmp_path / "file"))
    kept = add(files, expires_in_s=3600)
    lapse(redis, settings, kept.id)
    assert sweep(files, away) == 0
    lapse(redis, settings, kept.id)
    assert sweep(files, Storage(str(tmp_path / "files"))) == 1

"""The book of tenants and keys made at run time, and its store, on a real Redis."""

import dataclasses
import json

import pytest
from structlog.testing import capture_logs

from config.key_hash import digest
from routing.access_errors import AccessConflict
from routing.errors import NotFound, StoreUnavailable
from workers.access.book import AccessBook
from workers.access.key_record import KeyRecord, new_key
from workers.access.store import KEYS, TENANTS
from workers.access.tenant_record import TenantRecord
from workers.ledger.ledger import Ledger
from workers.pipeline import CommandPipeline
from workers.redis_client import connect

DATA = {"providers": {"enabled": ["groq"]}}


@pytest.fixture
def store(ledger):
    return ledger.access


@pytest.fixture
def book(store):
    """A process's book, read once."""
    book = AccessBook(store)
    book.sync()
    return book


@pytest.fixture
def asked(redis):
    """How many commands of a kind Redis was asked since the last time."""
    counts = {}

    def count(command):
        now = redis.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0)
        before, counts[command] = counts.get(command, now), now
        return now - before

    return count


def tenant(tenant_id="acme", **changes):
    return TenantRecord(tenant_id, {**DATA, **changes}, 1, 1)


def made(store, tenant_id="default", **fields):
    """A key of a tenant of a file, kept; with its secret."""
    record, secret = new_key(tenant_id, None, fields)
    store.create_key(record, tenant_is_stored=False)
    return record, secret


def test_changes_reach_another_book(store, book):
    """Created, changed, rotated and deleted elsewhere: each is known after the next look, and only that is fetched."""
    record, secret = made(store, name="one")
    book.sync()
    assert book.find(digest(secret)).record == record
    store.change_key(record.id, lambda key: dataclasses.replace(key, name="two", models=("fast",)))
    book.sync()
    known = book.find(digest(secret))
    assert (known.record.name, known.access.models) == ("two", frozenset({"fast"}))
    store.change_key(record.id, lambda key: key.rotated("mr-new", None, 60, 1000))
    book.sync()
    assert book.find(digest("mr-new")).record.id == book.find(digest(secret)).record.id == record.id
    store.change_key(record.id, lambda key: key.rotated("mr-newer", None, 60, 1000))
    book.sync()
    assert book.find(digest(secret)) is None
    store.delete(KEYS, record.id)
    book.sync()
    assert book.find(digest("mr-newer")) is None
    assert book.key(record.id) is None
    assert not store.delete(KEYS, record.id)


def test_what_is_in_the_book_asks_nothing(store, book, asked):
    """Known keys cost no command; unknown ones one each, and not again for a while; a quiet look costs one."""
    record, secret = made(store)
    book.sync()
    for command in ("hget", "hgetall", "hmget", "get", "zrange"):
        asked(command)
    for _ in range(5):
        assert book.find(digest(secret)).record.id == record.id
        assert book.find(digest("made up")) is None
    assert asked("hget") == 1
    book.sync()
    assert [asked(command) for command in ("get", "hgetall", "hmget", "zrange")] == [1, 0, 0, 0]
    store.change_key(record.id, lambda key: key)
    asked("hget")
    book.sync()
    assert [asked(command) for command in ("hgetall", "zrange")] == [0, 1]


def test_a_new_key_and_a_new_tenant_are_found_before_the_next_look(store, book):
    """What was made elsewhere a moment ago is asked for."""
    store.create_tenant(tenant())
    record, secret = new_key("acme", None, {})
    store.create_key(record, tenant_is_stored=True)
    assert book.find(digest(secret)).record == record
    assert book.key(record.id).access.tenant_id == "acme"
    assert book.tenant("acme").tenant.providers == {"groq"}


def test_a_tenant_takes_its_keys_with_it(store, book):
    """Deleted with all its keys, in every book; another tenant's stay, and an id that is used again starts anew."""
    store.create_tenant(tenant())
    record, secret = new_key("acme", None, {})
    store.create_key(record, tenant_is_stored=True)
    other, _ = made(store, "default")
    book.sync()
    store.delete(TENANTS, "acme")
    book.sync()
    assert book.find(digest(secret)) is None
    assert [known.record.id for known in book.all_keys()] == [other.id]
    store.create_tenant(tenant())
    book.sync()
    assert book.find(digest(secret)) is None
    assert book.key(record.id) is None


def test_a_key_needs_its_tenant(store):
    """A key of a tenant that was deleted meanwhile is not kept."""
    record, _ = new_key("nobody", None, {})
    with pytest.raises(NotFound):
        store.create_key(record, tenant_is_stored=True)
    assert store.row(KEYS, record.id) is None


def test_a_tenant_is_created_once(store):
    """The second of the same id is told, and changes nothing."""
    store.create_tenant(tenant(name="first"))
    with pytest.raises(AccessConflict):
        store.create_tenant(tenant(name="second"))
    assert TenantRecord.parse(store.row(TENANTS, "acme")).data["name"] == "first"


def test_changes_at_the_same_time_both_count(store):
    """Who was slower makes the change of what the faster one left."""
    record, _ = made(store)
    tried = []

    def slow(key):
        if not tried:
            store.change_key(record.id, lambda other: dataclasses.replace(other, name="fast"))
        tried.append(1)
        return dataclasses.replace(key, metadata={"slow": "too"})

    changed = store.change_key(record.id, slow)
    assert (changed.name, changed.metadata, len(tried), changed.revision) == ("fast", {"slow": "too"}, 2, 3)


def test_an_older_state_never_replaces_a_newer_one(store, book):
    """What was read before a change here, and arrives after it, is left aside."""
    record, secret = made(store)
    revoked = dataclasses.replace(record, revoked_at=5, revision=2)
    book.note(revoked)
    book.note(record)
    assert book.find(digest(secret)).record.revoked_at == 5


def test_a_redis_that_lost_its_last_changes_is_read_anew(store, book, redis, settings):
    """What only this process still knew of is forgotten, as the others do."""
    kept, kept_secret = made(store)
    version = store.version()
    _, lost_secret = made(store)
    book.sync()
    row = json.loads(store.row(KEYS, book.find(digest(lost_secret)).record.id))
    redis.hdel(f"{settings.key_prefix}access:keys", row["id"])
    redis.hdel(f"{settings.key_prefix}access:digests", row["digest"])
    redis.set(f"{settings.key_prefix}access:version", version)
    book.sync()
    assert book.find(digest(lost_secret)) is None
    assert book.find(digest(kept_secret)).record == kept


def test_a_row_that_cannot_be_read_is_no_401(store, book, redis, settings):
    """A key with limits of a later version is not let in without them, nor called unknown; the others are known."""
    sound, sound_secret = made(store)
    later, later_secret = made(store, limits={"daily_wishes": 3})
    redis.hset(f"{settings.key_prefix}access:keys", "key_broken", "{")
    fresh = AccessBook(store)
    with capture_logs() as logs:
        fresh.sync()
        with pytest.raises(StoreUnavailable):
            fresh.find(digest(later_secret))
    assert {entry["event"] for entry in logs} == {"access.unreadable"}
    assert later.digest not in str(logs)
    assert fresh.find(digest(sound_secret)).record == sound
    assert book.find(digest(sound_secret)).record == sound


def test_without_redis_what_is_known_is_known(store, book, settings):
    """Known keys go on being known; of any other nobody can say."""
    record, secret = made(store)
    book.sync()
    away = Ledger(CommandPipeline(connect("redis://127.0.0.1:1/0")), settings).access
    book.store = away
    assert book.find(digest(secret)).record == record
    with pytest.raises(StoreUnavailable):
        book.find(digest("another"))
    with pytest.raises(StoreUnavailable):
        AccessBook(away).find(digest(secret))


def test_records_come_back_as_they_were_written():
    """Every field of a key survives its text."""
    record, _ = new_key(
        "acme",
        "a pepper of some length",
        {
            "name": "n",
            "expires_at": 5.5,
            "revoked_at": 4,
            "limits": {"daily_requests": 3},
            "models": ("a", "b"),
            "providers": ("groq",),
            "metadata": {"k": "v"},
        },
    )
    rotated = record.rotated("mr-x", None, 10, 1)
    assert KeyRecord.parse(rotated.text) == rotated

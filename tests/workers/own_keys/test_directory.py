"""Which tenants have keys, as processes know it: from a real store, without a look at it for each request."""

import pytest

from config.own_key import OwnKey
from config.tenant import Tenant
from routing.errors import StoreUnavailable
from workers.own_keys.directory import OwnKeyDirectory
from workers.own_keys.stored import StoredKey

ACME = Tenant("acme", providers=frozenset({"groq", "openai"}))
RIVAL = Tenant("rival", providers=frozenset({"groq"}))


def stored(**changes):
    return StoredKey(**{"version": 0, "sealed": "s", "last4": "", "set_at": 1, "fallback_to_shared": False, **changes})


class Counted:
    """The store, with how often it was asked; or away."""

    def __init__(self, store):
        self.store = store
        self.asked = 0
        self.away = False

    def __getattr__(self, name):
        if self.away:
            raise StoreUnavailable("away")
        self.asked += 1
        return getattr(self.store, name)


@pytest.fixture
def store(ledger):
    return Counted(ledger.own_keys)


@pytest.fixture
def directory(store):
    return OwnKeyDirectory(store, opens=True)


def test_a_tenant_has_the_keys_it_stored(store, directory):
    """Each with its version, which grows with every change; other tenants have none."""
    first = store.put("acme", "groq", stored())
    second = store.put("acme", "openai", stored(fallback_to_shared=True))
    assert directory.on(ACME).own_keys == {
        "groq": OwnKey(version=first),
        "openai": OwnKey(version=second, fallback_to_shared=True),
    }
    assert second > first > 0
    assert directory.on(RIVAL) is RIVAL


def test_requests_ask_nothing(store, directory):
    """The first one reads; then it is memory, and the same value each time."""
    store.put("acme", "groq", stored())
    made, before = directory.on(ACME), store.asked
    assert all(directory.on(ACME) is made for _ in range(100))
    assert directory.on(RIVAL) is RIVAL
    assert store.asked == before


def test_a_change_is_seen_at_the_next_look(store, directory):
    """Replaced and dropped keys, too."""
    version = store.put("acme", "groq", stored())
    directory.refresh()
    newer = store.put("acme", "groq", stored())
    assert directory.on(ACME).own_keys["groq"].version == version
    assert store.version() == newer
    directory.refresh()
    assert directory.on(ACME).own_keys["groq"].version == newer
    assert store.delete("acme", "groq")
    assert not store.delete("acme", "groq")
    directory.refresh()
    assert directory.on(ACME) is ACME


def test_the_files_key_goes_before_a_stored_one(store, directory):
    """Whoever runs the router decides."""
    store.put("acme", "groq", stored())
    of_file = OwnKey(variable="ACME_KEY", secret="x")
    assert directory.on(Tenant("acme", own_keys={"groq": of_file})).own_keys == {"groq": of_file}


def test_nobody_is_taken_for_one_without_keys_before_the_first_look(store, directory):
    """Else calls would go out with the shared account; once something is known, it stays known."""
    store.put("acme", "groq", stored())
    store.away = True
    with pytest.raises(StoreUnavailable):
        directory.on(ACME)
    assert directory.seen(ACME) is ACME
    store.away = False
    directory.refresh()
    store.away = True
    assert "groq" in directory.on(ACME).own_keys


def test_stored_keys_that_cannot_be_opened_say_why(store):
    """Without the encryption key the tenant's calls go nowhere, and not to the shared account."""
    store.put("acme", "groq", stored())
    [key] = OwnKeyDirectory(store, opens=False).on(ACME).own_keys.values()
    assert "MODEL_ROUTER_ENCRYPTION_KEY is not set" in key.unusable_reason


@pytest.mark.parametrize("kept", ["", "7", "7 {}", "x {", '7 {"sealed": "s"}', '7 ["sealed"]', "7 null"])
def test_a_damaged_key_is_one_that_cannot_be_used(ledger, redis, settings, kept):
    """Its tenant's calls go nowhere until it is stored again; nobody else notices."""
    ledger.own_keys.put("rival", "groq", stored())
    redis.hset(f"{settings.key_prefix}own_keys", "acme groq", kept)
    directory = OwnKeyDirectory(ledger.own_keys, opens=True)
    assert "cannot be read" in directory.on(ACME).own_keys["groq"].unusable_reason
    assert directory.on(RIVAL).own_keys["groq"].unusable_reason is None
    ledger.own_keys.put("acme", "groq", stored())
    directory.refresh()
    assert directory.on(ACME).own_keys["groq"].unusable_reason is None

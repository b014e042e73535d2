"""What a worker calls with for a tenant: opened once, read anew where the job asks for a newer one, never another."""

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from config.configuration import Configuration
from config.own_key import OwnKey
from config.provider import ProviderConfig
from config.tenant import Tenant
from routing.errors import PatienceEnded, ProviderMisconfigured, StoreUnavailable
from workers.own_keys.sealing import Sealing
from workers.own_keys.stored import StoredKey
from workers.own_keys.upstreams import KEPT_S, OwnUpstreams
from workers.upstreams import Upstreams

SEALING = Sealing([Fernet.generate_key().decode()])
ROW = ProviderConfig("groq", "groq", "https://groq.example/v1", api_key_env="GROQ_API_KEY", takes_own_keys=True)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Store:
    """The ledger's store, with how often it was read; or away."""

    def __init__(self, store):
        self._store = store
        self.reads = 0
        self.away = False

    def read(self, tenant, provider):
        self.reads += 1
        if self.away:
            raise StoreUnavailable("away")
        return self._store.read(tenant, provider)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(ledger):
    return Store(ledger.own_keys)


@pytest.fixture
def rows():
    return {"groq": ROW}


@pytest.fixture
def own(store, rows, clock):
    tenant = Tenant("filed", own_keys={"groq": OwnKey(variable="K", secret="of-the-file", fallback_to_shared=True)})
    configuration = Configuration(rows, {}, {}, {"filed": tenant}, sandbox=False)
    return OwnUpstreams(lambda: configuration, Upstreams(lambda: configuration), store, SEALING, clock)


@pytest.fixture
def put(ledger):
    """Store a key of acme's; returns its version."""

    def keep(secret, tenant="acme"):
        sealed = SEALING.seal(tenant, "groq", secret)
        return ledger.own_keys.put("acme", "groq", StoredKey(0, sealed, "", 1, fallback_to_shared=False))

    return keep


def sent(found):
    return found.upstream.adapter.account.api_key


def test_a_key_is_opened_once(own, put, store):
    """Then it is at hand, for every job that was accepted for it."""
    version = put("secret")
    upstreams = [own.get("acme", "groq", version, 1.0) for _ in range(10)]
    assert {sent(found) for found in upstreams} == {"secret"}
    assert len({id(found.upstream) for found in upstreams}) == 1
    assert store.reads == 1


def test_a_job_that_was_accepted_for_a_newer_key_gets_it(own, put, store):
    """And one that was accepted for an older one the newest there is."""
    old = put("old")
    assert sent(own.get("acme", "groq", old, 1.0)) == "old"
    new = put("new")
    assert sent(own.get("acme", "groq", new, 1.0)) == "new"
    assert sent(own.get("acme", "groq", old, 1.0)) == "new"
    assert store.reads == 2


def test_a_removed_key_is_not_used_for_long(own, put, ledger, clock):
    """After a while it is looked at again, and then it is gone."""
    version = put("secret")
    own.get("acme", "groq", version, 1.0)
    ledger.own_keys.delete("acme", "groq")
    clock.now += KEPT_S
    with pytest.raises(ProviderMisconfigured, match="is gone"):
        own.get("acme", "groq", version, 1.0)


def test_a_key_of_the_file(own, store):
    """It is no business of the store's."""
    found = own.get("filed", "groq", 0, 1.0)
    assert (sent(found), found.fallback_to_shared, store.reads) == ("of-the-file", True, 0)
    with pytest.raises(ProviderMisconfigured, match="is gone"):
        own.get("acme", "groq", 0, 1.0)


@pytest.mark.parametrize(("secret", "tenant"), [("se\tcret", "acme"), ("secret", "rival")])
def test_a_key_that_cannot_be_sent_or_opened_is_told_without_it(own, put, secret, tenant):
    """One that no header can hold, and one that was sealed for another tenant."""
    version = put(secret, tenant)
    with pytest.raises(ProviderMisconfigured, match="own key for groq cannot be used") as caught:
        own.get("acme", "groq", version, 1.0)
    assert "cret" not in str(caught.value)


def test_a_store_that_is_away_is_waited_for(own, put, store):
    """As long as the job may wait; that is nobody's outage."""
    version = put("secret")
    store.away = True
    with pytest.raises(PatienceEnded):
        own.get("acme", "groq", version, 0.0)


def test_a_row_that_changed_is_called_as_it_is_now(own, put, rows):
    """The same key at another address; a provider that was disabled is not called."""
    version = put("secret")
    own.get("acme", "groq", version, 1.0)
    rows["groq"] = replace(ROW, endpoint="https://other.example/v1")
    assert own.get("acme", "groq", version, 1.0).upstream.config.endpoint == "https://other.example/v1"
    rows["groq"] = replace(ROW, takes_own_keys=False)
    with pytest.raises(ProviderMisconfigured, match="no longer configured"):
        own.get("acme", "groq", version, 1.0)

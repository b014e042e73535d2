"""`model-router provider-keys` against a real Redis."""

from base64 import urlsafe_b64encode

import pytest

from cli.ledger import open_ledger
from workers.own_keys.sealing import Sealing, Unreadable
from workers.own_keys.stored import StoredKey

# Not drawn: they name tests, which every process of pytest must name alike.
OLD, NEW = (urlsafe_b64encode(bytes([number] * 32)).decode() for number in (1, 2))
SECRET = "canary-of-acme"


@pytest.fixture
def command(run, settings):
    """Run `model-router provider-keys` on this test's keys."""
    variables = {"REDIS_URL": settings.redis_url, "MODEL_ROUTER_KEY_PREFIX": settings.key_prefix}
    return lambda *arguments, **more: run("provider-keys", *arguments, **variables, **more)


@pytest.fixture
def store(settings):
    """The store, with one key that was sealed with the old encryption key."""
    sealed = Sealing([OLD]).seal("acme", "groq", SECRET)
    with open_ledger(settings) as ledger:
        ledger.own_keys.put("acme", "groq", StoredKey(0, sealed, "acme", 1_790_000_000, fallback_to_shared=False))
        yield ledger.own_keys


def test_keys_are_listed_and_never_shown(command, store):
    """Who has one, for which provider and since when."""
    told = command("list").stdout
    assert told == "acme  groq                  ...acme  2026-09-21 14:13 UTC\n"
    store.delete("acme", "groq")
    assert command("list").stdout == "No tenant has stored a provider key.\n"


def test_keys_are_sealed_with_the_new_key(command, store):
    """Then the old one is not needed any more; the key is the same, and of the same version."""
    before = store.read("acme", "groq")
    done = command("reseal", MODEL_ROUTER_ENCRYPTION_KEY=f"{NEW},{OLD}")
    assert (done.returncode, done.stdout) == (0, "sealed anew: 1 of 1\n")
    after = store.read("acme", "groq")
    assert (after.version, after.last4, after.set_at) == (before.version, before.last4, before.set_at)
    assert Sealing([NEW]).open("acme", "groq", after.sealed) == SECRET
    with pytest.raises(Unreadable):
        Sealing([OLD]).open("acme", "groq", after.sealed)


def test_what_cannot_be_opened_stays_and_is_told(command, store):
    """A lost encryption key loses nothing more, and the command says of whom."""
    before = store.read("acme", "groq")
    done = command("reseal", MODEL_ROUTER_ENCRYPTION_KEY=NEW)
    assert (done.returncode, done.stdout) == (1, "sealed anew: 0 of 1\n")
    assert done.stderr == "acme groq: no key of MODEL_ROUTER_ENCRYPTION_KEY opens it\n"
    assert store.read("acme", "groq") == before


def test_a_key_that_was_replaced_meanwhile_is_left(store):
    """What its tenant has stored since then goes before."""
    read = store.read("acme", "groq")
    store.put("acme", "groq", StoredKey(0, "other", "next", 1, fallback_to_shared=True))
    assert not store.reseal("acme", "groq", read, "sealed anew")
    assert store.read("acme", "groq").sealed == "other"


@pytest.mark.parametrize("key", ["", "short", "x" * 44, f"{OLD},"])
def test_without_an_encryption_key_it_is_one_line(command, key):
    """What is missing or malformed is named, and not quoted."""
    done = command("reseal", MODEL_ROUTER_ENCRYPTION_KEY=key)
    if key.startswith(OLD):
        assert done.stdout == "sealed anew: 0 of 0\n"
        return
    assert done.returncode == 1
    assert done.stderr.startswith("Error: MODEL_ROUTER_ENCRYPTION_KEY ")
    assert done.stderr.count("\n") == 1
    assert not key or key not in done.stderr

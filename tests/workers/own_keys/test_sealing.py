"""Sealed keys open where they were sealed for, with a key that may open them, and nowhere else."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from workers.own_keys.sealing import Sealing, Unreadable
from workers.own_keys.stored import StoredKey, last_of

FIRST, SECOND = (Fernet.generate_key().decode() for _ in range(2))


@given(st.text(), st.text(), st.text())
def test_what_was_sealed_is_opened(tenant, provider, secret):
    """Whatever the names and the secret are."""
    sealing = Sealing([FIRST])
    assert sealing.open(tenant, provider, sealing.seal(tenant, provider, secret)) == secret


def test_the_first_key_seals_and_all_open():
    """As keys are rotated: the new one first, the old one while anything is sealed with it."""
    old = Sealing([FIRST]).seal("acme", "groq", "canary")
    both = Sealing([SECOND, FIRST])
    assert both.open("acme", "groq", old) == "canary"
    fresh = both.sealed_anew("acme", "groq", old)
    assert Sealing([SECOND]).open("acme", "groq", fresh) == "canary"


@pytest.mark.parametrize("place", [("rival", "groq"), ("acme", "openai")])
def test_a_copy_in_another_place_opens_nowhere(place):
    """Who can write the store cannot have a tenant's key used by another, or sent to another provider."""
    sealing = Sealing([FIRST])
    with pytest.raises(Unreadable):
        sealing.open(*place, sealing.seal("acme", "groq", "canary"))


@pytest.mark.parametrize("sealed", ["", "nonsense", "gAAAA", "\u00e9"])
def test_what_is_none_is_unreadable(sealed):
    """A damaged value is told as such, and takes nothing else down."""
    with pytest.raises(Unreadable):
        Sealing([FIRST]).open("acme", "groq", sealed)


def test_without_a_key_nothing_is_sealed_or_opened():
    """Never in the clear."""
    sealed = Sealing([FIRST]).seal("acme", "groq", "canary")
    nothing = Sealing([])
    assert not nothing.ready
    with pytest.raises(Unreadable):
        nothing.seal("acme", "groq", "canary")
    with pytest.raises(Unreadable, match="MODEL_ROUTER_ENCRYPTION_KEY is not set"):
        nothing.open("acme", "groq", sealed)


@given(st.integers(1, 2**40), st.text(), st.text(max_size=4), st.integers(0, 2**40), st.booleans())
def test_what_is_stored_is_read(version, sealed, last4, set_at, fallback):
    """Each field comes back as it was."""
    kept = StoredKey(version, sealed, last4, set_at, fallback)
    assert StoredKey.parse(kept.text.encode()) == kept


def test_little_is_shown_of_a_key():
    """Four characters of a long one, nothing of a short one."""
    assert last_of("gsk_123456789") == "6789"
    assert last_of("short-key") == ""

"""How a key is found: by its digest, so that how long it takes says nothing of how much of a key was right."""

import dataclasses

import pytest

from config.live import LiveConfiguration
from routing.errors import Unauthenticated
from tests.support.stack import KEY, copy_configuration
from workers.access.book import AccessBook
from workers.directory import Directory


@pytest.fixture
def directory(settings, ledger, tmp_path):
    """The shipped tenants and their keys."""
    copy_configuration(tmp_path / "config")
    own = dataclasses.replace(settings, config_dir=tmp_path / "config")
    return Directory(LiveConfiguration(own, {}), own, AccessBook(ledger.access))


class Watched(str):
    """A secret that notes when somebody compares it with another text, which would stop at the first difference."""

    __slots__ = ()
    compared = False

    def __eq__(self, other):
        Watched.compared = True
        return str.__eq__(self, other)

    def __hash__(self):
        Watched.compared = True
        return str.__hash__(self)


@pytest.mark.parametrize("secret", [KEY, KEY[:-1], KEY + "x", "x" * len(KEY), "mr-" + "x" * 43])
def test_a_secret_is_compared_with_nothing(directory, secret):
    """Right, nearly right and wrong alike: the secret is hashed whole, and never held against another."""
    Watched.compared = False
    try:
        directory.access(Watched(secret))
    except Unauthenticated:
        assert secret != KEY
    assert not Watched.compared


def test_what_is_looked_up_is_a_digest(directory):
    """Keys in memory stand under 32 bytes that do not tell them; beside is no more than a key's beginning."""
    keys = directory.current.keys
    assert keys
    assert all(isinstance(name, bytes) and len(name) == 32 for name in keys)
    assert KEY not in repr(keys)
    assert KEY.encode() not in b"".join(keys)


def test_digests_of_near_secrets_are_far_apart(directory):
    """A key that is right but for its end is as unknown as any other, in the same words."""
    told = set()
    for secret in (KEY[:-1], KEY + "1", KEY.upper(), "anything"):
        with pytest.raises(Unauthenticated) as refused:
            directory.access(secret)
        told.add(refused.value.message)
    assert len(told) == 1

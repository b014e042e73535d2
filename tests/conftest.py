"""Fixtures every test may use: one real Redis for the run, and a namespace of its own in it for each test."""

import itertools

import pytest

from config.settings import Settings
from tests.support.process_node import RedisNode

_namespaces = itertools.count()


@pytest.fixture(scope="session")
def redis_node():
    """A real Redis, for as long as the tests run."""
    node = RedisNode()
    node.ready()
    yield node
    node.teardown()


@pytest.fixture
def settings(redis_node):
    """Settings that keep this test's keys apart from every other's."""
    return Settings(redis_url=redis_node.url, key_prefix=f"test{next(_namespaces)}:")

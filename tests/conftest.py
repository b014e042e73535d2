"""Fixtures every test may use: one Redis and one sandbox for the run, each as if new for every test."""

import itertools

import pytest

from config.settings import Settings
from tests.support.process_node import RedisNode
from tests.support.sandbox_process import SandboxProcess

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


@pytest.fixture(scope="session")
def sandbox_process():
    """The sandbox in a process of its own, for as long as the tests run."""
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process):
    """A sandbox that behaves, and has counted nothing yet."""
    sandbox_process.reset()
    return sandbox_process

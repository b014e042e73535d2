"""The embedded Redis, on the real server program."""

import shutil
import stat
from pathlib import Path

import pytest
import redis

from cli.embedded_redis import prepare, redis_spec

pytestmark = pytest.mark.integration


@pytest.fixture
def start(supervisor):
    """Prepare and start the embedded Redis of a HOME, and wait for it."""

    def begin(home):
        server = prepare(home)
        process = supervisor.start(redis_spec(server, None))
        supervisor.wait_ready(["redis"])
        return server, process

    return begin


def client(url):
    return redis.Redis.from_url(url, decode_responses=True)


def test_data_survives_a_killed_server(start, tmp_path):
    """What was acknowledged before kill -9 is there after the next start, on the same address."""
    first, process = start(tmp_path)
    with client(first.url) as writer:
        for number in range(500):
            writer.set(f"key:{number}", number)
    process.kill()
    second, _ = start(tmp_path)
    with client(second.url) as reader:
        assert reader.dbsize() == 500
        assert reader.get("key:499") == "499"
    assert second == first


def test_it_keeps_what_it_accepts(start, tmp_path):
    """Append-only, fsynced every second, never evicting, no snapshots."""
    server, _ = start(tmp_path)
    with client(server.url) as asked:
        told = asked.config_get("appendonly", "appendfsync", "maxmemory-policy", "save", "bind")
    assert told == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": "",
        "bind": "127.0.0.1",
    }


def test_the_password_is_private(start, tmp_path):
    """It is asked for, its files are the owner's alone, and the process list does not show it."""
    server, process = start(tmp_path)
    with redis.Redis(port=server.port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    for name in ("url", "redis.conf"):
        assert stat.S_IMODE((tmp_path / "redis" / name).stat().st_mode) == 0o600
    assert server.password not in Path(f"/proc/{process.pid}/cmdline").read_text()
    assert server.password not in repr(server)
    assert (tmp_path / "redis" / "url").read_text().strip() == server.url


def test_a_folder_with_spaces_and_quotes(start, tmp_path):
    """HOME may have any name."""
    home = tmp_path / 'a "b" \\ c'
    server, _ = start(home)
    with client(server.url) as asked:
        asked.set("key", "value")
    assert (home / "redis" / "appendonlydir").is_dir()


def test_a_left_over_server_is_ended(start, tmp_path, wait_until):
    """A server that an earlier, killed stack left on the same data is stopped before the next starts."""
    server, left_over = start(tmp_path)
    with client(server.url) as writer:
        writer.set("key", "value")
    prepare(tmp_path)
    wait_until(lambda: left_over.exit_code is not None, what="the left-over server's end")
    second, _ = start(tmp_path)
    with client(second.url) as reader:
        assert reader.get("key") == "value"


def test_a_copied_home_leaves_the_original_alone(start, tmp_path):
    """A note copied from another HOME neither stops that server nor takes its port."""
    original, process = start(tmp_path / "original")
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    copied = prepare(tmp_path / "copy")
    assert process.exit_code is None
    assert copied.port != original.port

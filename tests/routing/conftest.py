"""A real Redis for the store's tests, on loopback and a free port."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from cli.redis_server import find_server
from tests.support.guard import guard


class RedisServer:
    """One server process; `kill` and `start` may follow each other."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self._argv = [
            *(str(find_server()), "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(folder), "--appendonly", "yes", "--save", ""),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL)
        guard().watch(self._process.pid)
        patient = Retry(ConstantBackoff(0.05), 200, supported_errors=(RedisConnectionError,))
        with Redis(port=self.port, retry=patient) as client:
            assert client.ping()

    def kill(self) -> None:
        """End it at once and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            guard().forget(self._process.pid)
            self._process = None


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running server of this test alone."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_client(redis_server: RedisServer) -> Iterator["Redis"]:
    """A client that gives up at once when the server is away."""
    with Redis(port=redis_server.port, retry=Retry(ConstantBackoff(0), 0), socket_timeout=2) as client:
        yield client

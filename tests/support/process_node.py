"""Child processes under pytest-celery's container interface: its nodes, clusters and set-up without a Docker engine."""

import contextlib
import os
import signal as signals
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import celery
from pytest_celery import CeleryTestContainer
from redis import Redis

from cli.redis_server import find_server
from tests.support.guard import guard

PROJECT_ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(condition: Callable[[], object], *, timeout_s: float = 20.0, what: str = "condition") -> object:
    """Poll `condition` until it is true and return its value; TimeoutError names `what` otherwise."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not come within {timeout_s} s")


class ProcessNode(CeleryTestContainer):
    """Answers the part of docker's container interface that pytest-celery uses, from a child process."""

    def __init__(self, name: str, argv: list[str], environment: Mapping[str, str] | None = None):
        self._name = name
        self._argv = argv
        self._environment = {**os.environ, **(environment or {})}
        self._folder = tempfile.TemporaryDirectory(prefix=f"{name}-")
        self._log = Path(self._folder.name) / "log"
        self._process: subprocess.Popen | None = None
        self.start()

    @property
    def name(self):
        return self._name

    @property
    def id(self):
        return f"{self.pid:012d}"

    @property
    def pid(self):
        return self._process.pid

    @property
    def attrs(self):
        return {"Config": {"Hostname": "127.0.0.1"}}

    @property
    def status(self):
        return "running" if self._process is not None and self._process.poll() is None else "exited"

    @property
    def ready_prompt(self):
        return None

    def logs(self, **_):
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def reload(self):
        return None

    def start(self):
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                env=self._environment,
                cwd=PROJECT_ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        guard().watch(self.pid)

    def ready(self):
        def prompted():
            if self.status != "running":
                raise RuntimeError(f"{self.name} exited {self._process.returncode}\n{self.logs()[-4000:]}")
            return self.is_ready()

        try:
            wait_until(prompted, timeout_s=40, what=f"{self.name}'s readiness")
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.logs()[-4000:]}") from None
        return True

    def is_ready(self) -> bool:
        """Whether the process says in its log that it is ready."""
        return self.ready_prompt is None or self.ready_prompt in self.logs()

    def kill(self, signal="SIGKILL"):
        number = signal if isinstance(signal, int) else getattr(signals, signal)
        # The whole session: a killed master must not leave its children behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
        self._process.wait(timeout=30)
        guard().forget(self.pid)

    def stop(self, timeout=20):
        if self.status != "running":
            return
        self._process.terminate()
        try:
            self._process.wait(timeout)
            guard().forget(self.pid)
        except subprocess.TimeoutExpired:
            self.kill()

    def restart(self, timeout=20):
        self.stop(timeout)
        self._log.write_text("")
        self.start()
        self.ready()

    def remove(self, **_):
        self.stop()
        # The leader is gone; whatever it left in its session goes with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signals.SIGKILL)
        guard().forget(self.pid)
        self._folder.cleanup()

    def teardown(self):
        self.remove()


class RedisNode(ProcessNode):
    """A real Redis with append-only persistence; a restart finds its data again."""

    def __init__(self, password: str = ""):
        self.port = free_port()
        self._password = password
        self._data = tempfile.TemporaryDirectory(prefix="redis-data-")
        argv = [str(find_server()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._data.name]
        argv += ["--requirepass", password] if password else []
        super().__init__("redis", [*argv, "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"])

    @property
    def url(self):
        return f"redis://{f':{self._password}@' if self._password else ''}127.0.0.1:{self.port}/0"

    @property
    def ready_prompt(self):
        return "Ready to accept connections"

    @property
    def celeryconfig(self):
        return {"url": self.url, "host_url": self.url, "hostname": "127.0.0.1", "port": self.port, "vhost": "0"}

    @property
    def client(self):
        return Redis.from_url(self.url, decode_responses=True)

    def remove(self, **options):
        super().remove(**options)
        self._data.cleanup()


class WorkerNode(ProcessNode):
    """A worker as `model-router worker` starts it."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str], name: str):
        self._arguments = arguments
        super().__init__(name, [sys.executable, "-m", "cli", "worker", *arguments], environment)

    @property
    def ready_prompt(self):
        return "ready."

    @property
    def celeryconfig(self):
        return {}

    def version(self):
        return celery.__version__

    def log_level(self):
        return "INFO"

    def worker_name(self):
        return self._name

    def worker_queue(self):
        return f"provider.{self._arguments[-1]}"

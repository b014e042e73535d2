"""The systems to compare, started from their real parts on loopback: the provider alone, the skeleton, Model Router."""

import http.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import redis

from benchmarks.counters import Counters, read_counters
from benchmarks.folder import PROVIDER, write_configuration
from benchmarks.litellm import proxy
from benchmarks.litellm.environment import Environment
from benchmarks.process import ROOT, Process, python, stop
from benchmarks.request import KEY, complaint, request_bytes
from benchmarks.usage import Usage, read_usage
from cli.ports import free_port
from cli.redis_server import find_server

# The same for every system, so that it is the code that is compared: calls that one worker process makes at once.
CONCURRENCY = 300


@dataclass(frozen=True, slots=True)
class System:
    """A running system under test: where it answers, its processes, and its Redis if it has one."""

    name: str
    port: int
    processes: Sequence[Process]
    store_port: int | None = None

    def usage(self) -> Usage:
        """CPU and memory so far by role; StartError when a process has died."""
        for process in self.processes:
            process.check()
        return read_usage({process.popen.pid: process.role for process in self.processes})

    def counters(self) -> Counters | None:
        """Redis's counters, None for a system without one."""
        if self.store_port is None:
            return None
        with redis.Redis(port=self.store_port) as client:
            return read_counters(client)


class Stack:
    """Everything one round runs. A context manager: leaving it stops every process it started."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._started: list[Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Redis goes last, so that nothing spends its shutdown on reconnecting.
        stop(process for process in self._started if process.role != "redis")
        stop(process for process in self._started if process.role == "redis")

    def provider(self, latency_s: float = 0.0) -> System:
        """The provider alone."""
        port = free_port()
        argv = python("-m", "benchmarks.provider", "--port", str(port), "--latency", str(latency_s))
        process = self._start("provider", argv, {}, self._folder)
        process.wait_for_port(port)
        return System("provider alone", port, [process])

    def stream_provider(self) -> System:
        """The provider of streams alone."""
        port = free_port()
        argv = python("-m", "benchmarks.streams.provider", "--port", str(port))
        process = self._start("provider", argv, {}, self._folder)
        process.wait_for_port(port)
        return System("provider alone", port, [process])

    def litellm(self, provider: System, environment: Environment) -> System:
        """LiteLLM's proxy, one worker, in front of `provider`."""
        folder = self._subfolder("litellm")
        proxy.write_configuration(folder, provider.port)
        port = free_port()
        argv = proxy.command(environment, folder, port)
        # Not at the project's root: it takes `.env` and modules from where it runs.
        process = self._start("litellm", argv, proxy.environ(), folder, folder)
        return self._ready(System("litellm proxy", port, [process, *provider.processes]), "litellm")

    def skeleton(self, provider: System, *, result_backend: bool = False) -> System:
        """The bare Flask + Celery + Redis queue in front of `provider`."""
        name = "skeleton, result backend" if result_backend else "skeleton"
        folder = self._subfolder(name)
        store, store_port = self._redis(folder)
        port = free_port()
        store_url = f"redis://127.0.0.1:{store_port}/0"
        environ = {
            "CELERY_BROKER_URL": store_url,
            "SKELETON_PROVIDER": f"http://127.0.0.1:{provider.port}/v1/chat/completions",
            "SKELETON_KEY": KEY,
            "SKELETON_RESULT_BACKEND": store_url if result_backend else "",
        }
        api = python("-m", "gunicorn", "-k", "gevent", "-w", "1", "--no-control-socket", "-b", f"127.0.0.1:{port}")
        api.append("benchmarks.skeleton:api()")
        worker = python(
            "-m", "celery", "-A", "benchmarks.skeleton:celery", "worker", "-P", "gevent", "-c", str(CONCURRENCY)
        )
        processes = [
            store,
            self._start("worker", worker, environ, folder),
            self._start("api", api, environ, folder),
        ]
        return self._ready(System(name, port, [*processes, *provider.processes], store_port))

    def router(self, provider: System, concurrency: int = CONCURRENCY) -> System:
        """Model Router as it ships, with one provider, `provider`."""
        folder = self._subfolder("router")
        write_configuration(folder / "config", provider.port, concurrency)
        product = self.product(folder, (PROVIDER,), {})
        return replace(product, processes=[*product.processes, *provider.processes])

    def product(self, folder: Path, providers: Sequence[str], environ: Mapping[str, str]) -> System:
        """Model Router with the configuration in `folder`/config: a worker for each of `providers`, and the rest.

        It answers once a whole request has gone through it; `environ` goes over what a benchmark sets.
        """
        store, store_port = self._redis(folder)
        port = free_port()
        environ = {
            "REDIS_URL": f"redis://127.0.0.1:{store_port}/0",
            "PORT": str(port),
            "MODEL_ROUTER_HOME": str(folder / "home"),
            "MODEL_ROUTER_CONFIG": str(folder / "config"),
            "LOG_LEVEL": "warning",
            **environ,
        }
        others = ("--queue", "webhooks", "--queue", "batches", "--queue", "maintenance")
        workers = [("worker", ("--provider", name)) for name in providers] + [("background", others)]
        processes = [
            store,
            *(self._start(role, python("-m", "cli", "worker", *queue), environ, folder) for role, queue in workers),
            self._start("api", python("-m", "cli", "api"), environ, folder),
        ]
        return self._ready(System("model router", port, processes, store_port))

    def sandbox(self) -> System:
        """The sandbox providers (docs/sandbox.md)."""
        port = free_port()
        process = self._start("sandbox", python("-m", "sandbox", "--port", str(port)), {}, self._folder)
        process.wait_for_port(port)
        return System("sandbox", port, [process])

    def restart(self, process: Process) -> Process:
        """Kill one of the product's processes and start it again; the new one."""
        again = process.kill_and_restart()
        self._started[self._started.index(process)] = again
        return again

    def store(self) -> int:
        """A Redis alone; its port."""
        return self._redis(self._folder)[1]

    def _redis(self, folder: Path) -> tuple[Process, int]:
        """A Redis of its own, with the durability Model Router asks for, whatever system it serves."""
        port = free_port()
        argv = [str(find_server()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        argv += ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"]
        process = self._start("redis", argv, {}, folder)
        process.wait_for_port(port)
        return process, port

    def _ready(self, system: System, front: str = "api") -> System:
        """The system once a whole request has gone through it; the process of role `front` takes them."""
        api = next(process for process in system.processes if process.role == front)
        api.wait_for_port(system.port, limit_s=60.0)
        wrong = _try_once(system.port)
        for process in system.processes:
            process.check()
        if wrong:
            raise api.failure(f"gave no good answer to a first request ({wrong})")
        return system

    def _start(
        self, role: str, argv: Sequence[str], environ: Mapping[str, str], folder: Path, cwd: Path = ROOT
    ) -> Process:
        process = Process.start(role, argv, environ, folder, cwd)
        self._started.append(process)
        return process

    def _subfolder(self, name: str) -> Path:
        folder = (self._folder / name.replace(", ", "-").replace(" ", "-")).resolve()
        folder.mkdir(parents=True)
        return folder


def _try_once(port: int, limit_s: float = 30.0) -> str | None:
    """Send the benchmark's request once: what is wrong with its answer, None for nothing."""
    head, _, body = request_bytes(port).partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit_s)
    try:
        connection.request("POST", "/v1/chat/completions", body, headers)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    wrong = complaint(b"HTTP/1.1 %d \r\n\r\n" % answer.status + text)
    return wrong and f"{wrong}: {text[:300].decode(errors='replace')}"

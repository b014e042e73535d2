"""Processes of the benchmark tests: waited for until they listen, and ended with the test."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator


@contextlib.contextmanager
def stopped(process: subprocess.Popen, port: int, limit_s: float = 20.0) -> Iterator[subprocess.Popen]:
    """The process once it listens on `port`; terminated and reaped on the way out."""
    give_up_at = time.monotonic() + limit_s
    try:
        while True:
            assert process.poll() is None, f"ended with code {process.returncode}"
            assert time.monotonic() < give_up_at, f"does not listen on {port}"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

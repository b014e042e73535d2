"""How processes of tests share the machine, and what becomes of their servers when they are killed."""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading

import pytest

from config.settings import PROJECT_ROOT
from tests.support.machine import Machine
from tests.support.process_node import wait_until

# Starts a server, which has its stdout as well: that ends when both have ended.
TESTS = """
import subprocess, sys
from tests.support.guard import guard
server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], start_new_session=True)
guard().watch(server.pid)
if "forget" in sys.argv:
    guard().forget(server.pid)
print(server.pid, flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def server_of_tests(*arguments):
    argv = [sys.executable, "-c", TESTS, *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(argv, cwd=PROJECT_ROOT, text=True, **pipes) as tests:
        server = int(tests.stdout.readline())
        try:
            yield tests
        finally:
            tests.kill()
            with contextlib.suppress(ProcessLookupError):
                os.kill(server, signal.SIGKILL)


def test_killed_tests_leave_no_server():
    """Their guard ends what they had started, in a session of its own as it may be."""
    with server_of_tests() as tests:
        tests.kill()
        assert tests.stdout.read() == ""


def test_what_was_forgotten_is_left_alone():
    """A number that may be another process's by now is not killed."""
    with server_of_tests("forget") as tests:
        tests.stdin.close()
        # It waits for its guard, so that there is nobody left who might do it later.
        tests.wait(60)
        ended, _, _ = select.select([tests.stdout], [], [], 0)
        assert not ended


@pytest.fixture
def machine(tmp_path):
    """The same machine as another process sees it."""
    with contextlib.ExitStack() as opened:

        def see():
            seen = Machine(tmp_path)
            opened.callback(seen.close)
            return seen

        yield see


def test_alone_is_with_nobody(machine, tmp_path):
    """Who wants the machine alone gets it when those before have left, and before those who come later."""
    told = []

    def use(*, alone):
        with machine().used(alone=alone):
            told.append(("in", alone))
            told.append(("out", alone))

    def door_is_shut():
        with (tmp_path / "door").open("w") as door:
            try:
                fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    with machine().used(alone=False), machine().used(alone=False):
        single = threading.Thread(target=use, kwargs={"alone": True})
        single.start()
        wait_until(door_is_shut, what="the one who wants it alone")
        others = [threading.Thread(target=use, kwargs={"alone": False}) for _ in range(3)]
        for other in others:
            other.start()
        assert told == []
    for thread in (single, *others):
        thread.join()
    assert told[:2] == [("in", True), ("out", True)]
    assert len(told) == 8

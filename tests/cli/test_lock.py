"""One running stack per HOME."""

import os
import subprocess
import sys

import pytest

from cli.lock import HomeInUse, home_is_locked, home_lock

HOLD = """
import pathlib, sys, time
from cli.lock import home_lock
with home_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of tmp_path."""
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_holder_is_refused(holder, tmp_path):
    """The refusal names the process and the variable to set."""
    assert home_is_locked(tmp_path)
    with pytest.raises(HomeInUse, match=rf"process {holder.pid}.*MODEL_ROUTER_HOME"), home_lock(tmp_path):
        pass


def test_the_lock_of_a_killed_process_is_free(holder, tmp_path):
    """A file left by kill -9 holds nobody up, and then names its new holder."""
    holder.kill()
    holder.wait()
    assert not home_is_locked(tmp_path)
    with home_lock(tmp_path):
        assert (tmp_path / "up.lock").read_text() == f"{os.getpid()}\n"
        assert home_is_locked(tmp_path)


def test_a_folder_that_is_not_there_is_not_locked(tmp_path):
    """Asking makes nothing."""
    assert not home_is_locked(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()

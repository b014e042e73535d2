"""What is left when the supervisor itself is killed."""

import json
import os
import signal
import subprocess
import sys

import pytest

from cli.process import StopOrder
from cli.warden import Ward

# A supervisor of the children it is told of as JSON: name -> [stop order, grace in seconds, code].
SUPERVISOR = """
import json, pathlib, sys
from cli.process import ProcessSpec, StopOrder
from cli.signals import StopSignals
from cli.supervisor import Supervisor
supervisor = Supervisor(pathlib.Path(sys.argv[1]), lambda _: None, StopSignals())
ready = lambda process: "here" in process.output()
pids = {
    name: supervisor.start(ProcessSpec(name, (sys.executable, "-c", code), StopOrder(order), ready, grace_s)).pid
    for name, (order, grace_s, code) in json.loads(sys.argv[2]).items()
}
supervisor.wait_ready(pids)
print(json.dumps(pids), flush=True)
supervisor.wait_for(lambda: False)
"""
OBEDIENT = """
import signal, sys, time
def stop(*_):
    time.sleep({seconds})
    with open({path!r}, "a") as file:
        file.write({name!r} + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("here", flush=True)
time.sleep(60)
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"
)


@pytest.fixture
def kill_supervisor(tmp_path):
    """Run a supervisor of the given children until they are ready, kill it with SIGKILL, and give their pids."""

    def kill(children):
        argv = [sys.executable, "-c", SUPERVISOR, str(tmp_path / "logs"), json.dumps(children)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as supervisor:
            pids = json.loads(supervisor.stdout.readline())
            supervisor.kill()
        return pids

    return kill


def test_what_others_lean_on_ends_last(kill_supervisor, tmp_path, wait_until, is_running):
    """Workers end their jobs first, then the sandbox ends, and Redis after it."""
    noted = tmp_path / "order"

    def child(name, order, seconds):
        return [order, 20.0, OBEDIENT.format(seconds=seconds, path=str(noted), name=name)]

    pids = kill_supervisor(
        {
            "redis": child("redis", StopOrder.REDIS, 0),
            "sandbox": child("sandbox", StopOrder.SANDBOX, 0.2),
            "worker": child("worker", StopOrder.WORKER, 1),
        }
    )
    wait_until(lambda: not any(is_running(pid) for pid in pids.values()), what="the processes' end")
    assert noted.read_text().split() == ["worker", "sandbox", "redis"]


def test_what_does_not_end_is_killed(kill_supervisor, wait_until, is_running):
    """A process that ignores SIGTERM is killed after its grace."""
    pids = kill_supervisor({"worker": [StopOrder.WORKER, 0.5, STUBBORN], "redis": [StopOrder.REDIS, 0.5, STUBBORN]})
    wait_until(lambda: not any(is_running(pid) for pid in pids.values()), what="the processes' end")


def test_an_orderly_stop_needs_no_warden(supervisor, is_running):
    """The warden is gone once the supervisor has stopped everything."""
    warden = supervisor._warden._popen.pid
    assert is_running(warden)
    supervisor.stop()
    assert not is_running(warden)


def test_a_killed_warden_is_no_harm(supervisor):
    """Without it the supervisor goes on, and stops in order."""
    os.kill(supervisor._warden._popen.pid, signal.SIGKILL)
    supervisor._warden._popen.wait()
    supervisor._warden._tell(Ward("some", 1, 1, 1.0, told=True).line())
    supervisor.stop()


def test_a_ward_reads_back():
    """The line that tells of a process says all of it."""
    ward = Ward("worker-groq", 123, 1, 30.0, told=True)
    assert Ward.from_line(ward.line()) == ward

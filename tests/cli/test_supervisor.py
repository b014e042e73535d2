"""The supervisor, on real small processes."""

import os
import signal
import sys
import time

import pytest

from cli.process import ProcessSpec, StopOrder
from cli.supervisor import StartFailed, StopRequested

SLEEP = "import time; time.sleep(60)"


def spec(name, code, *, order=StopOrder.WORKER, grace_s=5.0, ready=lambda _: True):
    return ProcessSpec(name, (sys.executable, "-c", code), order, ready, grace_s)


def logged(text):
    return lambda process: text in process.output()


def test_a_process_that_dies_is_started_again(supervisor, said, wait_until):
    """A killed process has a successor, and one line names its log."""
    first = supervisor.start(spec("child", SLEEP))
    supervisor.wait_ready(["child"])
    supervisor.starting = False
    os.kill(first.pid, signal.SIGKILL)

    def successor():
        supervisor.tick()
        process = supervisor.process("child")
        return process.pid != first.pid and process.exit_code is None

    wait_until(successor, timeout_s=10)
    died = [line for line in said if "died" in line]
    assert len(died) == 1
    assert "killed by SIGKILL" in died[0]
    assert str(first.log) in died[0]


def test_the_wait_before_a_restart_grows(supervisor, said, wait_until):
    """A process that dies at once is started again after 1 s, then after 2 s."""
    supervisor.starting = False
    supervisor.start(spec("child", "raise SystemExit(3)"))

    def twice():
        supervisor.tick()
        return sum("starts again" in line for line in said) == 2

    wait_until(twice, timeout_s=10)
    waits = [line.split(";")[0].strip() for line in said if "starts again" in line]
    assert waits == [f"child died (exit code 3), starts again in {seconds} s" for seconds in (1, 2)]


def test_a_death_before_readiness_fails_the_start_with_the_end_of_the_log(supervisor):
    """The error says the last lines of the log and where it is."""
    started = supervisor.start(spec("child", "print('the reason'); raise SystemExit(7)", ready=lambda _: False))
    with pytest.raises(StartFailed, match=r"(?s)child died before it was ready \(exit code 7\).*the reason") as raised:
        supervisor.wait_ready(["child"])
    assert str(started.log) in str(raised.value)


def test_a_silent_process_fails_the_start(supervisor):
    """A process that never becomes ready fails the start after the time given."""
    supervisor.start(spec("child", SLEEP, ready=lambda _: False))
    with pytest.raises(StartFailed, match="not ready after 0 s"):
        supervisor.wait_ready(["child"], timeout_s=0.2)


def test_a_program_that_is_missing_fails_the_start(supervisor):
    """A program that cannot be run is named in one line."""
    with pytest.raises(StartFailed, match="child cannot be started"):
        supervisor.start(ProcessSpec("child", ("/nowhere/at/all",), StopOrder.API, lambda _: True))


# Notes its name in a file when it is told to stop, a moment later.
NOTING = """
import signal, sys, time
def stop(*_):
    time.sleep(0.2)
    with open({path!r}, "a") as file:
        file.write({name!r} + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("here", flush=True)
time.sleep(60)
"""


def test_stop_order(supervisor, tmp_path):
    """The API stops first, then workers, beat and Flower, the sandbox, and Redis last."""
    noted = tmp_path / "order"
    for order in reversed(StopOrder):
        code = NOTING.format(path=str(noted), name=order.name)
        supervisor.start(spec(order.name, code, order=order, ready=logged("here")))
    supervisor.wait_ready(supervisor.names())
    supervisor.stop()
    assert noted.read_text().split() == [order.name for order in StopOrder]


STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"
)


def test_a_process_that_does_not_stop_is_killed_after_its_grace(supervisor, said, is_running):
    """What ignores SIGTERM is killed, and said to be."""
    stubborn = supervisor.start(spec("stubborn", STUBBORN, grace_s=0.3, ready=logged("here")))
    supervisor.wait_ready(["stubborn"])
    supervisor.stop()
    assert not is_running(stubborn.pid)
    assert any("killed after its grace: stubborn" in line for line in said)


def test_a_second_signal_does_not_wait(supervisor, is_running):
    """After two signals nothing is waited for."""
    stubborn = supervisor.start(spec("stubborn", STUBBORN, grace_s=60, ready=logged("here")))
    supervisor.wait_ready(["stubborn"])
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(StopRequested):
        supervisor.wait_for(lambda: False)
    begun = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begun < 5
    assert not is_running(stubborn.pid)


def test_what_a_process_leaves_behind_ends_with_it(supervisor, wait_until, is_running):
    """The children of a stopped process do not outlive it."""
    code = f"""
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", {SLEEP!r}]).pid, flush=True)
time.sleep(60)
"""
    parent = supervisor.start(spec("parent", code, ready=lambda process: process.output().strip().isdigit()))
    supervisor.wait_ready(["parent"])
    grandchild = int(parent.output())
    assert is_running(grandchild)
    supervisor.stop()
    wait_until(lambda: not is_running(grandchild), what="the grandchild's end")

"""Loops a process depends on outlive their own failures."""

import gevent
from gevent.event import Event

from workers import loops


def test_a_failed_loop_goes_on(monkeypatch):
    """A loop that raises is started again."""
    monkeypatch.setattr(loops, "RESTART_S", 0.001)
    runs, enough = [], Event()

    def run():
        runs.append(1)
        if len(runs) == 3:
            enough.set()
            gevent.sleep(60)
        raise RuntimeError("once more")

    greenlet = loops.keep_running(run)
    assert enough.wait(5)
    greenlet.kill()

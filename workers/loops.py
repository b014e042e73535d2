"""Loops that a process depends on: one that fails is logged and goes on, because nobody else would do its work."""

from collections.abc import Callable

import gevent
import structlog

log = structlog.get_logger()

RESTART_S = 1.0


def keep_running(run: Callable[[], None]) -> gevent.Greenlet:
    """Run `run`, which is meant never to return, in a greenlet of its own; again after a moment when it raises."""
    return gevent.spawn(_keep, run)


def _keep(run: Callable[[], None]) -> None:
    while True:
        try:
            run()
        except Exception:
            log.exception("loop.failed", loop=getattr(run, "__qualname__", repr(run)))
        gevent.sleep(RESTART_S)

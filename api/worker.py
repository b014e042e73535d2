"""gunicorn's gevent worker, made to stop as soon as its requests are answered."""

from types import TracebackType
from typing import Any

import gevent
from gunicorn.workers.ggevent import GeventWorker


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no annotations
    """Closes idle keep-alive connections when it is told to stop, which gunicorn's own waits for like for requests."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._idle: set[gevent.Greenlet] = set()

    def timeout_ctx(self) -> "_Idle":
        """The wait for a connection's next request."""
        return _Idle(self.cfg.keepalive, self._idle)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop gracefully."""
        super().handle_exit(sig, frame)
        # In a greenlet of its own: a signal handler must not switch.
        gevent.spawn(gevent.killall, list(self._idle), block=False)


class _Idle:
    """A wait of `seconds` during which its greenlet is listed as idle; ends quietly when the time is over."""

    def __init__(self, seconds: float, idle: set[gevent.Greenlet]) -> None:
        self._timeout = gevent.Timeout(seconds, False)  # noqa: FBT003 (gevent's way to say: end quietly)
        self._idle = idle

    def __enter__(self) -> None:
        self._idle.add(gevent.getcurrent())
        self._timeout.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._idle.discard(gevent.getcurrent())
        return bool(self._timeout.__exit__(kind, error, trace))

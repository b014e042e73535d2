"""gunicorn's gevent worker: stops as soon as its requests are answered, and waits for no caller for ever."""

from types import TracebackType
from typing import Any

import gevent
import structlog
from gunicorn.http import wsgi
from gunicorn.workers.ggevent import GeventWorker

from api import refusal
from api.paced_socket import PacedSocket
from config.settings import Settings

log = structlog.get_logger()


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no annotations
    """Closes idle keep-alive connections when it is told to stop, which gunicorn's own waits for like for requests.

    Cuts requests that come too slowly, and answers what is no request in the API's own form.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._idle: set[gevent.Greenlet] = set()
        self._sockets: dict[gevent.Greenlet, PacedSocket] = {}
        self._read_timeout_s = Settings.from_environment().read_timeout_s

    def init_process(self) -> None:
        """In the new process: answers are made without gunicorn's name."""
        wsgi.Response = _Response
        super().init_process()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection."""
        greenlet = gevent.getcurrent()
        paced = self._sockets[greenlet] = PacedSocket(client, self._read_timeout_s)
        try:
            super().handle(listener, paced, addr)
        finally:
            del self._sockets[greenlet]

    def timeout_ctx(self) -> "_Idle":
        """The wait for a connection's next request."""
        return _Idle(self.cfg.keepalive, self._idle, self._sockets[gevent.getcurrent()])

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ARG002 (gunicorn's)
        """Answer a request that did not get as far as the application; the connection is then closed."""
        if isinstance(exc, (gevent.GreenletExit, SystemExit)):
            # An idle connection that is closed because we stop.
            return
        told = refusal.refusal_of(exc)
        if told is None:
            log.error("request.broken", exc_info=exc)
            told = refusal.OWN_FAULT
        else:
            log.info("request.refused", status=told[0], why=told[1].message)
        try:
            client.sendall(refusal.page(*told))
        except OSError:
            log.debug("request.refusal_not_taken")

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop gracefully."""
        super().handle_exit(sig, frame)
        # In a greenlet of its own: a signal handler must not switch.
        gevent.spawn(gevent.killall, list(self._idle), block=False)


class _Response(wsgi.Response):  # type: ignore[misc]  # gunicorn has no annotations
    """An answer that does not say which server sent it."""

    def default_headers(self) -> list[str]:
        return [line for line in super().default_headers() if not line.startswith("Server:")]


class _Idle:
    """A wait of `seconds` during which its greenlet is listed as idle; ends quietly when the time is over."""

    def __init__(self, seconds: float, idle: set[gevent.Greenlet], paced: PacedSocket) -> None:
        self._timeout = gevent.Timeout(seconds, False)  # noqa: FBT003 (gevent's way to say: end quietly)
        self._idle = idle
        self._paced = paced

    def __enter__(self) -> None:
        self._idle.add(gevent.getcurrent())
        self._paced.rest()
        self._timeout.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._idle.discard(gevent.getcurrent())
        self._paced.begin()
        return bool(self._timeout.__exit__(kind, error, trace))

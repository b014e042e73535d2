"""Keeps the configuration current: polls its files and swaps one reference when a sound edit lands."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from config.configuration import Configuration, ConfigurationError
from config.loader import config_files, load
from config.secret import secret_files
from config.settings import Settings

Listener = Callable[[Configuration], None]

_log = structlog.get_logger(__name__)


class LiveConfiguration:
    """The configuration as it stands now. Made whole: ConfigurationError where the files cannot be used at start."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self._settings = settings
        self._environ = environ
        self._listeners: list[Listener] = []
        self._greenlet: Any = None
        # Taken before the files are read: an edit in between is then seen by the next poll.
        self._seen = self._signature()
        self.current = load(settings, environ)

    def on_change(self, listener: Listener) -> None:
        """Call `listener` with each new configuration, from the polling greenlet; it must not raise or block."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Poll in a greenlet every `config_poll_s`, until `stop`. Starting twice is starting once."""
        import gevent  # noqa: PLC0415 - a process that never starts it stays free of gevent

        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._poll_forever)

    def stop(self) -> None:
        """End the polling greenlet, if there is one."""
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is not None:
            greenlet.kill()

    def poll(self) -> bool:
        """Look at the files once; whether a new configuration was taken.

        A broken edit is logged once as `configuration.rejected` and what is in force stays in force.
        """
        signature = self._signature()
        if signature == self._seen:
            return False
        self._seen = signature
        try:
            fresh = load(self._settings, self._environ)
        except ConfigurationError as error:
            _log.error("configuration.rejected", problems=[str(problem) for problem in error.problems])
            return False
        self.current = fresh
        _log.info("configuration.loaded", providers=sorted(fresh.providers), tenants=sorted(fresh.tenants))
        for listener in self._listeners:
            listener(fresh)
        return True

    def _poll_forever(self) -> None:
        import gevent  # noqa: PLC0415 - as above

        while True:
            gevent.sleep(self._settings.config_poll_s)
            self.poll()

    def _signature(self) -> tuple[tuple[str, int, int, int], ...]:
        """What changes when a file does: its name, modification time in ns, size in bytes and inode.

        Files of secrets are looked at, too: one that is replaced there is read again.
        """
        try:
            files = config_files(self._settings.config_dir)
        except OSError:
            return ()
        return tuple(_stat(str(path)) for path in (*files, *secret_files(self._environ)))


def _stat(path: str) -> tuple[str, int, int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116 - a third of pathlib's cost, several times a second
    except OSError:
        return (path, 0, 0, 0)
    return (path, found.st_mtime_ns, found.st_size, found.st_ino)

"""One response's way through a job's stream: each frame once and in order, then how the job ended."""

from contextlib import ExitStack

import gevent
from flask import request

from api.caller import CallerGone, Connection
from api.follower import Follower
from api.services import Services
from routing.errors import NotFound, StoreUnavailable
from workers.ledger.record import Ended
from workers.ledger.streams import Followed

Part = list[bytes] | Ended | None
# Between two questions to a ledger that is away.
AWAY_S = 1.0


class Stream:
    """Follows a job from its first frame on: what the reader of replies hands on, and what is missing of it."""

    def __init__(self, parts: Services, job_id: str, tenant: str) -> None:
        """Begin to listen for what this process is told of the job. Made while the caller's request is at hand."""
        self.job_id = job_id
        self.connection = Connection(request.environ)
        self._parts = parts
        self._tenant = tenant
        self._follower = Follower()
        self._listening = True
        # Once for all its waits: between chunks there is no time for it.
        self._watch = ExitStack()
        self._watch.enter_context(self.connection.watched(self._follower.leave))
        parts.waiters.add(job_id, self._follower)

    def close(self) -> None:
        """Listen no more; a second time does nothing."""
        if self._listening:
            self._listening = False
            self._watch.close()
            self._parts.waiters.remove(self.job_id, self._follower)

    def next(self) -> Part:
        """Frames that have come, or how the job ended; None where nothing came for the keep-alive time.

        Raises CallerGone.
        """
        follower = self._follower
        if not (lines := follower.take()):
            follower.wait()
            lines = follower.take()
        if not lines and follower.behind:
            try:
                self.ask()
            except StoreUnavailable:
                gevent.sleep(AWAY_S)
            lines = follower.take()
        if lines or follower.ended is not None:
            return lines or follower.ended
        if self.connection.gone:
            raise CallerGone
        return None

    def ask(self) -> Followed:
        """Take what the ledger has from here on, and have it tell this process the rest.

        Raises NotFound where the tenant has no such job (any more), and StoreUnavailable.
        """
        follower, streams = self._follower, self._parts.ledger.streams
        follower.asking()
        page: Followed | None = None
        try:
            page = streams.follow(self.job_id, self._tenant, self._parts.waiters.address, follower.next)
        finally:
            if page is None:
                follower.fall_behind()
        if page is None:
            raise NotFound(f"there is no job {self.job_id!r}")
        follower.turn(page)
        return page

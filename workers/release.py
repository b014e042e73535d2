"""Lets parked jobs through when a provider's limit has room again: every worker process looks. No leader."""

import random

import gevent

from routing.errors import StoreUnavailable
from workers.ledger.ledger import Ledger

BATCH = 100
# Nobody parked: how often to look. Somebody: at the moment there may be room, but no more often than this.
IDLE_S, LEAST_S = 1.0, 0.05


class Release:
    """One process's share of looking."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def once(self) -> float:
        """Let through what there are permits for; returns the seconds until there may be more."""
        while True:
            released, wait_s = self._ledger.release(BATCH)
            if released < BATCH:
                return IDLE_S if wait_s is None else min(IDLE_S, max(wait_s, LEAST_S))
            gevent.sleep(0)

    def run(self) -> None:
        """Look for ever; a Redis that is away is asked again."""
        while True:
            try:
                wait_s = self.once()
            except StoreUnavailable:
                wait_s = IDLE_S
            # Spread, so that many processes do not look in the same moment.
            gevent.sleep(wait_s * random.uniform(1.0, 1.1))  # noqa: S311

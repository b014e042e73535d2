"""A ledger whose clock the test sets: its scripts read the time from a key instead of asking Redis for it."""

import dataclasses
import hashlib

from workers.ledger.ledger import Ledger
from workers.ledger.scripts import Script

TIME = "redis.call('TIME')"


class Clock:
    """The time of one ledger's scripts, in ms."""

    def __init__(self, redis, prefix: str, now_ms: int):
        self._redis, self._prefix = redis, prefix
        self.set(now_ms)

    def set(self, now_ms: int) -> None:
        """Make it this time."""
        self.now_ms = now_ms
        seconds, milliseconds = divmod(now_ms, 1000)
        self._redis.mset({f"{self._prefix}clock_s": seconds, f"{self._prefix}clock_us": milliseconds * 1000})

    def advance(self, milliseconds: int) -> None:
        """Let time pass."""
        self.set(self.now_ms + milliseconds)


def on_clock(ledger: Ledger) -> Ledger:
    """The same ledger, on the clock that is set under its prefix."""
    steps = ledger._steps
    instead = f"redis.call('MGET', '{steps.prefix}clock_s', '{steps.prefix}clock_us')"
    for name, script in steps._scripts.items():
        assert script.text.count(TIME) == 1
        text = script.text.replace(TIME, instead)
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        steps._scripts[name] = dataclasses.replace(script, text=text, sha=sha)
    return ledger


def expression(steps, name: str, given: str) -> Script:
    """A script that answers with the Lua expression `given`, over all that the script `name` has in front of it."""
    front = steps._scripts[name].text.partition("-- ARGV: id, ")[0]
    text = f"{front}\nreturn {given}"
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())

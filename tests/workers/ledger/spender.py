"""A process that spends a budget: `python -m tests.workers.ledger.spender URL PREFIX NAME LIMITS EXPECTED MOST`.

It says it is ready; told to go (a line on its input), it keeps up to MOST jobs under way, each taken to cost EXPECTED
micro-dollars and costing less, until the budget has no more room whatever comes back. Then it tells what it has spent.
"""

import sys
import time

from config.settings import Settings
from tests.workers.conftest import outcome, submission
from workers.ledger.headroom import Refused
from workers.ledger.ledger import Ledger
from workers.pipeline import CommandPipeline
from workers.redis_client import connect


def say(*words):
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


class Spender:
    """Submits jobs and ends the oldest of them."""

    def __init__(self, ledger, name, limits, expected):
        self.ledger, self.name, self.limits, self.expected = ledger, name, limits, expected
        self.number = self.spent = 0
        self.under_way = []

    def submit(self):
        """Whether there was room; None when there will be none."""
        self.number += 1
        job = f"{self.name}_{self.number}"
        placed = self.ledger.submit(submission(job, limits=self.limits, expected_microusd=self.expected))
        if isinstance(placed, Refused):
            return False if placed.used - placed.held + self.expected <= placed.limit else None
        self.under_way.append(job)
        return True

    def finish(self):
        job = self.under_way.pop(0)
        cost = self.expected * (self.number % 10 + 1) // 10
        self.spent += cost
        self.ledger.claim(job, 1)
        self.ledger.finish(job, 1, outcome(counted_microusd=cost))

    def run(self, most):
        while (room := self.submit()) is not None or self.under_way:
            if self.under_way and (not room or len(self.under_way) >= most):
                self.finish()
            elif not room:
                time.sleep(0.01)


def main():
    url, prefix, name, limits, expected, most = sys.argv[1:]
    ledger = Ledger(CommandPipeline(connect(url)), Settings(redis_url=url, key_prefix=prefix))
    ledger.ping()
    spender = Spender(ledger, name, limits, int(expected))
    say("ready")
    sys.stdin.readline()
    spender.run(int(most))
    say("spent", str(spender.spent))


main()

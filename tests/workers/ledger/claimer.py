"""A process that claims jobs as a worker would: `python -m tests.workers.ledger.claimer URL PREFIX JOB...`.

It says it is ready, claims when it is told to go (a line on its input), and prints the jobs it was let through with.
"""

import sys

from config.settings import Settings
from workers.ledger.ledger import Ledger
from workers.pipeline import CommandPipeline
from workers.redis_client import connect


def say(*words):
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def main():
    url, prefix, *jobs = sys.argv[1:]
    ledger = Ledger(CommandPipeline(connect(url)), Settings(redis_url=url, key_prefix=prefix))
    ledger.ping()
    say("ready")
    sys.stdin.readline()
    claims = [ledger.claim(job, 1) for job in jobs]
    say("passed", *(claimed.id for claimed in claims if claimed is not None and claimed.detour is None))


main()

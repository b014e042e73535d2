"""A process that submits jobs as the API would: `python -m tests.workers.ledger.submitter URL PREFIX ID COUNT LIMITS`.

It says it is ready, submits COUNT jobs for each of LIMITS when it is told to go (a line on its input), and names those
that were accepted.
"""

import sys

from config.settings import Settings
from tests.workers.conftest import submission
from workers.ledger.ledger import Ledger
from workers.ledger.record import Accepted
from workers.pipeline import CommandPipeline
from workers.redis_client import connect


def say(*words):
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def main():
    url, prefix, name, count, *limits = sys.argv[1:]
    ledger = Ledger(CommandPipeline(connect(url)), Settings(redis_url=url, key_prefix=prefix))
    ledger.ping()
    say("ready")
    sys.stdin.readline()
    jobs = [
        ledger.submit(submission(f"{place}_{name}_{number}", prompt_tokens=7, limits=words))
        for number in range(int(count))
        for place, words in enumerate(limits)
    ]
    say("accepted", *(job.id for job in jobs if isinstance(job, Accepted)))


main()

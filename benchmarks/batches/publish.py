"""`python -m benchmarks.batches.publish`: as many tasks into the skeleton's queue as there are lines."""

import argparse

from benchmarks.batches.lines import line_body
from benchmarks.skeleton import call_provider


def main() -> None:
    """Publish them one by one, as an application would."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, required=True)
    options = parser.parse_args()
    for number in range(options.lines):
        call_provider.delay(None, None, line_body(number))


if __name__ == "__main__":
    main()

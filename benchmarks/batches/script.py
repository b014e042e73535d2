"""`python -m benchmarks.batches.script`: what one would write without a gateway: `requests` in a gevent pool."""

# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()

import argparse

import requests
from gevent.pool import Pool

from benchmarks.batches.lines import line_body
from benchmarks.request import KEY


def main() -> None:
    """Ask the provider so many times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--lines", type=int, required=True)
    parser.add_argument("--pool", type=int, required=True)
    options = parser.parse_args()
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {KEY}"
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=options.pool))
    url = f"http://127.0.0.1:{options.port}/v1/chat/completions"

    def ask(number: int) -> int:
        return len(session.post(url, json=line_body(number), timeout=120).json()["choices"])

    answered = sum(Pool(options.pool).imap_unordered(ask, range(options.lines)))
    raise SystemExit(answered != options.lines)


if __name__ == "__main__":
    main()

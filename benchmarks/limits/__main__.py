"""`python -m benchmarks.limits`: what authentication, limits and a budget cost each request.

Exit code 1 when they take 300 µs of CPU or more in the API's process, or a round trip more than without.
"""

# As in the API's process, whose work this is: before whatever opens a socket.
from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 - see above, and so the rest
import json  # noqa: E402
import shutil  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from dataclasses import asdict  # noqa: E402
from pathlib import Path  # noqa: E402

from benchmarks.folder import write_configuration  # noqa: E402
from benchmarks.limits.cost import find  # noqa: E402
from benchmarks.limits.report import reached, report  # noqa: E402
from benchmarks.process import StartError  # noqa: E402
from benchmarks.run import machine, unwind, whole_number  # noqa: E402
from benchmarks.stack import Stack  # noqa: E402
from cli.redis_server import NoRedisServer  # noqa: E402
from config.settings import Settings  # noqa: E402


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__)
    parser.add_argument("--batches", type=whole_number, default=100, help="of 50 requests on each side (default 100)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, unwind)
    folder = Path(tempfile.mkdtemp(prefix="model-router-limits-"))
    try:
        with Stack(folder) as stack:
            # Nobody is called: the provider's port is nobody's.
            write_configuration(folder / "config", 9, 1)
            url = f"redis://127.0.0.1:{stack.store()}/0"
            environ = {
                "REDIS_URL": url,
                "MODEL_ROUTER_HOME": str(folder),
                "MODEL_ROUTER_CONFIG": str(folder / "config"),
            }
            found = find(Settings.from_environment(environ), options.batches)
    except (StartError, NoRedisServer) as error:
        raise SystemExit(f"benchmark: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    shutil.rmtree(folder)
    print(f"{machine()}\n\n{report(found)}")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), **asdict(found)}, indent=1) + "\n")
    sys.exit(not reached(found))


if __name__ == "__main__":
    main()

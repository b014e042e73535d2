"""`python -m sandbox`: the sandbox providers as one process. Patches the standard library before all else."""

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 -- after the patch, as gevent demands
import sys  # noqa: E402

from sandbox.server import listen, raise_file_limit, serve  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Sandbox providers on loopback.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8899, help="port, 0 for any free one (default: %(default)s)")
    options = parser.parse_args(arguments)
    raise_file_limit()
    try:
        listener = listen(options.host, options.port)
    except (OSError, OverflowError) as error:
        print(f"sandbox: cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    serve(listener, _announce)
    return 0


def _announce(url: str) -> None:
    print(f"sandbox listening on {url}", flush=True)  # noqa: T201 -- the line that callers wait for


if __name__ == "__main__":
    sys.exit(main())

"""Writes the golden files anew, from the running product and the sandbox. What changed in them is to be reviewed."""

import tempfile
from pathlib import Path

from tests.golden.cases import ALL
from tests.golden.record import golden_file, record_of, written
from tests.golden.wire import exchanges_of, golden_stack


def main() -> None:
    """Ask every case of every provider and write what passed on the wires."""
    with tempfile.TemporaryDirectory() as folder:
        stack = golden_stack(Path(folder) / "config")
        try:
            for provider, case in ALL:
                file = golden_file(provider, case)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(written(record_of(exchanges_of(stack, provider, case))) + "\n")
        finally:
            stack.stop()


if __name__ == "__main__":
    main()

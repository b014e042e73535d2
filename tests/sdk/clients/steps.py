"""Runs the steps of an example and prints what each returned, one line of JSON a step."""

import json
import traceback
from collections.abc import Callable
from typing import Any


def run(*steps: Callable[[], Any]) -> None:
    """Run every step, also after one that failed; each is told by its name."""
    for step in steps:
        try:
            told = {"answer": step()}
        except Exception:  # noqa: BLE001 - told, so that the next step still runs
            told = {"error": traceback.format_exc()}
        print(json.dumps({"step": step.__name__, **told}), flush=True)

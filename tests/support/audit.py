"""`python -m tests.support.audit LOCK`: whether a locked package has a published vulnerability, as pip-audit has it.

Without the data (no network, a registry of one's own) there is a note and no failure: what runs on every machine must
not hang on one that is away.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_LONGEST_S = 90


@dataclass(frozen=True)
class Verdict:
    """What is to be said, and whether the check failed."""

    lines: tuple[str, ...]
    failed: bool


def judge(report: dict[str, Any] | None) -> Verdict:
    """What pip-audit's JSON says; None where it gave none."""
    rows = [] if report is None else report["dependencies"]
    audited = [row for row in rows if "skip_reason" not in row]
    if not audited:
        return Verdict(("Not audited: the data about vulnerabilities cannot be had here.",), failed=False)
    found = tuple(
        f"{row['name']} {row['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for row in audited
        for hole in row["vulns"]
    )
    missed = len(rows) - len(audited)
    note = (f"Not audited: {missed} of {len(rows)} packages are not known there.",) if missed else ()
    return Verdict((*found, *note), failed=bool(found))


def ask(lock: str) -> dict[str, Any] | None:
    """What pip-audit reports of a lock file with hashes; it installs nothing."""
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--timeout", "10")
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "pip_audit", "--requirement", lock, *options],
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
        report: dict[str, Any] = json.loads(ran.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None
    return report


def main(arguments: Sequence[str]) -> int:
    """Audit the lock named first; 1 where something was found."""
    verdict = judge(ask(arguments[0]))
    for line in verdict.lines:
        print(line)
    return int(verdict.failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The audit of locked packages fails for what is known to be broken, and for nothing else."""

import pytest

from tests.support.audit import judge

SOUND = {"name": "a", "version": "1.0", "vulns": []}
HOLED = {"name": "b", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("rows", "failed", "said"),
    [
        ([SOUND], False, ""),
        ([SOUND, HOLED], True, "b 2.0: PYSEC-1, mended in 2.1"),
        ([HOLED, UNKNOWN], True, "PYSEC-1"),
        ([SOUND, UNKNOWN], False, "1 of 2 packages"),
        ([UNKNOWN], False, "cannot be had here"),
        (None, False, "cannot be had here"),
    ],
    ids=["sound", "holed", "holed and unknown", "partly unknown", "unknown", "no report"],
)
def test_what_is_found_decides(rows, failed, said):
    """A vulnerability fails the check; data that cannot be had is a note."""
    verdict = judge(None if rows is None else {"dependencies": rows})
    assert verdict.failed is failed
    assert said in "\n".join(verdict.lines)

"""Input that is no batch: each error by line, in OpenAI's form, and nothing left behind."""

import gzip
from pathlib import Path

import pytest

from tests.support.batch import create, ended, entry, jsonl, upload
from tests.support.process_node import wait_until

pytestmark = pytest.mark.integration
GOOD = jsonl([entry(1)])
NEST = b'{"custom_id": "a", "body": {"messages": ' + b"[" * 200_000 + b"]" * 200_000 + b"}}\n"
LONG = b'{"custom_id": "a", "body": {"messages": "' + b"x" * 10_500_000 + b'"}}\n'
# Longer than a request may be.
LONGER = b'{"custom_id": "a", "body": {"messages": "' + b"x" * 40_000_000 + b'"}}\n'


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (GOOD + NEST, [(2, "invalid_json_line")]),
        (GOOD + LONG, [(2, "invalid_request")]),
        (GOOD + LONGER + GOOD, [(2, "line_too_long"), (3, "duplicate_custom_id")]),
        (GOOD.decode().encode("utf-16"), None),
        ('{"custom_id": "é"}\n'.encode("latin-1"), [(1, "invalid_json_line")]),
        (GOOD[:-20], [(1, "invalid_json_line")]),
        (GOOD + b'{"custom_id": "a", "custom_id": "b", "body": {}}\n', [(2, "invalid_json_line")]),
        (GOOD + b'["a", "list"]\n', [(2, "invalid_json_line")]),
        (GOOD + b'{"custom_id": "a"}\n', [(2, "invalid_body")]),
        (gzip.compress(GOOD, mtime=1), None),
    ],
    ids=["nest", "long", "longer", "utf-16", "latin-1", "truncated", "twice", "list", "no body", "gzip"],
)
def test_bad_input_is_told_by_line_and_leaves_nothing(stack, data, told):
    """The batch fails with every bad line; no line was run, and nothing of it stays but its two records."""
    stack.sandbox.reset()
    jobs = stack.job_count()
    batch = ended(stack, create(stack, input_file_id=upload(stack, data))["id"])
    assert batch["status"] == "failed"
    found = [(error["line"], error["code"]) for error in batch["errors"]["data"]]
    assert all(error["message"] for error in batch["errors"]["data"])
    if told is None:
        assert {code for _, code in found} == {"invalid_json_line"}
    else:
        assert found == told
    assert stack.sandbox.calls()["total"] == 0
    assert stack.job_count() == jobs
    wait_until(lambda: not list(Path(stack.files.name).rglob(f"*{batch['id']}*")), what="the end of its copy")
    wait_until(lambda: not list(stack.redis.client.scan_iter(f"mr:batch_*:{batch['id']}")), what="that of its lists")


def test_a_batch_that_is_cancelled_before_it_is_looked_at(stack):
    """It ends as cancelled, without a line or a file of its own."""
    stack.workers["background"].stop()
    try:
        batch = create(stack, input_file_id=upload(stack, GOOD))
        assert stack.post(path=f"/v1/batches/{batch['id']}/cancel").json()["status"] == "cancelling"
    finally:
        stack.workers["background"].start()
    batch = ended(stack, batch["id"])
    assert (batch["status"], batch["output_file_id"], batch["error_file_id"]) == ("cancelled", None, None)
    assert batch["request_counts"] == {"total": 0, "completed": 0, "failed": 0}

"""Batches through the API and real workers: every line answered once, and told as OpenAI tells it."""

import json

import pytest

from tests.support.batch import CHAT, create, ended, entry, jsonl, lines_of, upload
from tests.support.process_node import wait_until
from tests.support.stack import chat

RIVAL = {"Authorization": "Bearer ak-rival"}


def test_a_file_of_lines_is_answered_line_by_line(stack):
    """Every custom_id once, with its own answer; counts, usage and times are told."""
    file_id = upload(stack, jsonl(entry(number) for number in range(120)))
    batch = create(stack, input_file_id=file_id, metadata={"run": "7"})
    assert batch["status"] == "validating"
    batch = ended(stack, batch["id"])
    assert batch["status"] == "completed", batch
    assert batch["request_counts"] == {"total": 120, "completed": 120, "failed": 0}
    assert batch["metadata"] == {"run": "7"}
    assert batch["error_file_id"] is None
    assert batch["in_progress_at"]
    assert batch["finalizing_at"]
    assert batch["completed_at"]
    lines = lines_of(stack, batch["output_file_id"])
    assert sorted(line["custom_id"] for line in lines) == sorted(f"line-{number}" for number in range(120))
    assert len({line["id"] for line in lines}) == 120
    for line in lines:
        body = line["response"]["body"]
        assert line["error"] is None
        assert line["response"]["status_code"] == 200
        assert body["choices"][0]["message"]["content"]
    used = sum(line["response"]["body"]["usage"]["total_tokens"] for line in lines)
    assert batch["usage"]["total_tokens"] == used
    assert stack.jobs_left() == 0
    assert stack.redis.client.hgetall("mr:batch_flight") == {}
    kept = [stack.redis.client.hget(key, "batch") for key in stack.redis.client.scan_iter("mr:job:*")]
    assert batch["id"] not in kept


def test_requests_in_the_body_need_no_file(stack):
    """They are run as the lines of a file would be, which is there to be read."""
    batch = create(stack, requests=[{"custom_id": "only", "body": chat("inline", model="fast")}])
    batch = ended(stack, batch["id"])
    (line,) = lines_of(stack, batch["output_file_id"])
    assert "inline" in line["response"]["body"]["choices"][0]["message"]["content"]
    (asked,) = lines_of(stack, batch["input_file_id"])
    assert asked["custom_id"] == "only"


@pytest.mark.parametrize(
    ("endpoint", "body", "kind"),
    [
        ("/v1/embeddings", {"model": "gemini-embedding-001", "input": ["one", "two"]}, "list"),
        ("/v1/completions", {"model": "fast", "prompt": "Say hello."}, "text_completion"),
        ("/v1/responses", {"model": "fast", "input": "Say hello."}, "response"),
    ],
)
def test_every_endpoint_answers_in_its_own_form(stack, endpoint, body, kind):
    """Embeddings, legacy completions and responses go through batches as chats do; their usage is counted."""
    batch = create(stack, endpoint=endpoint, requests=[{"custom_id": "a", "url": endpoint, "body": body}])
    batch = ended(stack, batch["id"])
    (line,) = lines_of(stack, batch["output_file_id"])
    assert line["response"]["body"]["object"] == kind
    assert batch["usage"]["input_tokens"] > 0


def test_every_bad_line_is_told_and_nothing_is_run(stack):
    """Not only the first: each with its number, code and field; the error file has them, too."""
    lines = [
        entry(1),
        entry(2) | {"custom_id": "line-1"},
        entry(3, model="no-such-model"),
        entry(4, url="/v1/embeddings"),
        entry(5, messages="none"),
        entry(6, stream=True),
        entry(7) | {"method": "GET"},
    ]
    batch = create(stack, input_file_id=upload(stack, jsonl(lines) + b"{broken\n"))
    batch = ended(stack, batch["id"])
    assert batch["status"] == "failed"
    assert batch["failed_at"]
    told = [(error["line"], error["code"], error["param"]) for error in batch["errors"]["data"]]
    assert told == [
        (2, "duplicate_custom_id", "custom_id"),
        (3, "model_not_found", "body.model"),
        (4, "mismatched_endpoint", "url"),
        (5, "invalid_request", "body.messages"),
        (6, "invalid_request", "body.stream"),
        (7, "invalid_method", "method"),
        (8, "invalid_json_line", None),
    ]
    assert lines_of(stack, batch["error_file_id"]) == batch["errors"]["data"]
    assert stack.sandbox.calls()["total"] == 0


def test_a_file_without_lines_fails(stack):
    """Blank lines are no requests."""
    batch = ended(stack, create(stack, input_file_id=upload(stack, b"\n \n"))["id"])
    assert [error["code"] for error in batch["errors"]["data"]] == ["empty_batch"]


def test_lines_fail_on_their_own(stack):
    """A refused request is a line of the error file with its answer; the others are answered."""
    refused = entry(1, sandbox={"fault": "status", "status": 400})
    batch = create(stack, input_file_id=upload(stack, jsonl([entry(0), refused, entry(2)])))
    batch = ended(stack, batch["id"])
    assert batch["status"] == "completed"
    assert batch["request_counts"] == {"total": 3, "completed": 2, "failed": 1}
    (line,) = lines_of(stack, batch["error_file_id"])
    assert line["custom_id"] == "line-1"
    assert line["response"]["status_code"] == 400
    assert line["response"]["body"]["error"]["message"]
    assert len(lines_of(stack, batch["output_file_id"])) == 2


def test_a_line_waits_for_a_provider_that_is_away(stack):
    """A line has time: when every candidate has failed it begins again, some seconds later."""
    stack.sandbox.behave("groq", fault="status", status=503, times=2)
    batch = create(stack, requests=[{"custom_id": "a", "body": chat("wait", model="groq/openai/gpt-oss-20b")}])
    batch = ended(stack, batch["id"])
    assert batch["request_counts"] == {"total": 1, "completed": 1, "failed": 0}
    (line,) = lines_of(stack, batch["output_file_id"])
    attempts = line["response"]["body"]["routing_metadata"]["attempts"]
    assert [attempt["status"] for attempt in attempts] == ["failed", "failed", "completed"]


def test_a_cancelled_batch_keeps_what_is_done(stack):
    """What runs comes to its end, the rest is told as cancelled; every line is in one of the files."""
    stack.sandbox.behave("*", latency_ms=700)
    batch = create(stack, input_file_id=upload(stack, jsonl(entry(number) for number in range(900))))
    path = f"/v1/batches/{batch['id']}"
    wait_until(lambda: stack.get(path).json()["request_counts"]["completed"] > 20, what="some answers")
    cancelled = stack.post(path=f"{path}/cancel").json()
    assert cancelled["status"] == "cancelling"
    assert stack.post(path=f"{path}/cancel").json()["status"] in ("cancelling", "cancelled")
    batch = ended(stack, batch["id"])
    assert batch["status"] == "cancelled"
    assert batch["cancelled_at"]
    counts = batch["request_counts"]
    assert counts["completed"] + counts["failed"] == counts["total"] == 900
    done, left = lines_of(stack, batch["output_file_id"]), lines_of(stack, batch["error_file_id"])
    assert len(done) == counts["completed"] == stack.sandbox.calls()["completed"]
    assert {line["error"]["code"] for line in left} == {"batch_cancelled"}
    assert len({line["custom_id"] for line in done + left}) == 900
    answer = stack.post(path=f"{path}/cancel")
    assert answer.json()["status"] == "cancelled"


def test_results_can_be_read_while_the_batch_runs(stack):
    """What is stored so far, in the form of the output file."""
    stack.sandbox.behave("*", latency_ms=500)
    batch = create(stack, input_file_id=upload(stack, jsonl(entry(number) for number in range(1500))))
    path = f"/v1/batches/{batch['id']}"
    partial = wait_until(lambda: stack.get(f"{path}/results").content, what="partial results")
    assert stack.get(path).json()["status"] == "in_progress"
    line = json.loads(partial.splitlines()[0])
    assert line["response"]["status_code"] == 200
    stack.post(path=f"{path}/cancel")
    batch = ended(stack, batch["id"])
    assert stack.get(f"{path}/results").content == stack.get(f"/v1/files/{batch['output_file_id']}/content").content
    assert stack.get(f"{path}/results?kind=errors").content
    assert stack.get(f"{path}/results?kind=all").status_code == 400


def test_tenants_do_not_see_each_others_batches(stack):
    """Not to look at, list, cancel or read; and not each other's files to run."""
    file_id = upload(stack, jsonl([entry(1)]))
    batch = create(stack, input_file_id=file_id)
    path = f"/v1/batches/{batch['id']}"
    for answer in (
        stack.get(path, headers=RIVAL),
        stack.get(f"{path}/results", headers=RIVAL),
        stack.post(path=f"{path}/cancel", headers=RIVAL),
        stack.post(
            {"endpoint": CHAT, "completion_window": "24h", "input_file_id": file_id},
            path="/v1/batches",
            headers=RIVAL,
        ),
    ):
        assert answer.status_code == 404, answer.text
    assert batch["id"] not in {found["id"] for found in stack.get("/v1/batches", headers=RIVAL).json()["data"]}
    assert batch["id"] == stack.get("/v1/batches?limit=1").json()["data"][0]["id"]
    ended(stack, batch["id"])


def test_an_idempotency_key_makes_one_batch(stack):
    """A create that is sent again finds the first; another body is a conflict."""
    body = {"endpoint": CHAT, "completion_window": "1h", "input_file_id": upload(stack, jsonl([entry(1)]))}
    headers = {"Idempotency-Key": "one-batch"}
    first, again = (stack.post(body, path="/v1/batches", headers=headers) for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    other = stack.post(body | {"completion_window": "2h"}, path="/v1/batches", headers=headers)
    assert other.status_code == 409
    ended(stack, first.json()["id"])


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"completion_window": "25h"}, "completion_window"),
        ({"completion_window": "soon"}, "completion_window"),
        ({"completion_window": None}, "completion_window"),
        ({"endpoint": "/v1/images"}, "endpoint"),
        ({"input_file_id": None}, "input_file_id"),
        ({"requests": []}, "requests"),
        ({"requests": [1]}, "requests[0]"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {str(number): "x" for number in range(17)}}, "metadata"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 1}}, "output_expires_after.seconds"),
        ({"webhook_url": "ftp://x"}, "webhook_url"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_bad_request_names_its_field(stack, changes, param):
    """A 400 in OpenAI's form, and no batch."""
    before = stack.redis.client.zcard("mr:batches:default")
    body = {"endpoint": CHAT, "completion_window": "24h", "input_file_id": "file-x"} | changes
    answer = stack.post(body, path="/v1/batches")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == param
    assert stack.redis.client.zcard("mr:batches:default") == before


def test_what_is_not_there_is_a_404(stack):
    """Batches and input files that nobody has."""
    none = "batch_" + "0" * 32
    for path in (f"/v1/batches/{none}", "/v1/batches/x", f"/v1/batches/{none}/results"):
        assert stack.get(path).status_code == 404
    assert stack.post(path=f"/v1/batches/{none}/cancel").status_code == 404
    body = {"endpoint": CHAT, "completion_window": "24h", "input_file_id": "file-" + "0" * 32}
    answer = stack.post(body, path="/v1/batches")
    assert (answer.status_code, answer.json()["error"]["param"]) == (404, "input_file_id")
    assert stack.get("/v1/batches?limit=0").status_code == 400
    assert stack.get("/v1/batches?after=nobody").status_code == 400

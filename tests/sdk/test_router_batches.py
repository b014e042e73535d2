"""The official client runs a batch from its file to its results, and cannot tell the router from OpenAI."""

import json

import openai
import pytest

from tests.support.batch import entry, jsonl
from tests.support.process_node import wait_until
from tests.support.stack import KEY

pytestmark = [pytest.mark.sdk, pytest.mark.integration]
ENDED = ("completed", "failed", "expired", "cancelled")


@pytest.fixture
def client(stack):
    with openai.OpenAI(base_url=f"{stack.api.url}/v1", api_key=KEY, max_retries=0) as client:
        yield client


def ended(client, batch):
    def look():
        found = client.batches.retrieve(batch.id)
        return found if found.status in ENDED else None

    return wait_until(look, timeout_s=60, what="the batch's end")


def test_a_batch_from_file_to_results(client):
    """Upload, create, poll, read both files, list: each object as the client's own types have it."""
    lines = [entry(0), entry(1, sandbox={"fault": "status", "status": 400}), entry(2)]
    file = client.files.create(file=("lines.jsonl", jsonl(lines)), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"run": "nightly"},
        output_expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert batch.status == "validating"
    assert batch.expires_at - batch.created_at == 24 * 3600
    batch = ended(client, batch)
    assert batch.status == "completed"
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (3, 2, 1)
    assert batch.usage.total_tokens == batch.usage.input_tokens + batch.usage.output_tokens > 0
    assert batch.metadata == {"run": "nightly"}
    answers = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
    assert {answer["custom_id"] for answer in answers} == {"line-0", "line-2"}
    (failed,) = (json.loads(line) for line in client.files.content(batch.error_file_id).text.splitlines())
    assert failed["custom_id"] == "line-1"
    output = client.files.retrieve(batch.output_file_id)
    assert (output.purpose, output.filename) == ("batch_output", f"{batch.id}_output.jsonl")
    assert output.expires_at - output.created_at == 3600
    assert batch.id in {found.id for found in client.batches.list(limit=1)}


def test_a_batch_that_is_cancelled(stack, client):
    """It is cancelling, then cancelled; what was done can be read."""
    stack.sandbox.behave("*", latency_ms=500)
    file = client.files.create(file=("lines.jsonl", jsonl(entry(number) for number in range(900))), purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    wait_until(lambda: client.batches.retrieve(batch.id).request_counts.completed > 10, what="some answers")
    assert client.batches.cancel(batch.id).status == "cancelling"
    batch = ended(client, batch)
    assert batch.status == "cancelled"
    assert batch.request_counts.completed + batch.request_counts.failed == 900
    assert client.files.content(batch.output_file_id).text.count("\n") == batch.request_counts.completed


def test_a_batch_whose_window_ends(stack, client):
    """It is expired, what was done can be read, and every other line says why it was not run."""
    stack.workers["background"].stop()
    stack.sandbox.behave("groq", latency_ms=100, limits={"requests_per_minute": 120})
    lines = (entry(number, model="groq/openai/gpt-oss-20b") for number in range(200))
    file = client.files.create(file=("lines.jsonl", jsonl(lines)), purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="1m")
    # As if most of its window had passed while nobody was there to run it.
    stack.redis.client.hincrby(f"mr:batch:{batch.id}", "deadline", -50_000)
    stack.workers["background"].start()
    batch = ended(client, batch)
    assert batch.status == "expired"
    assert batch.expired_at >= batch.expires_at
    done = client.files.content(batch.output_file_id).text.splitlines()
    late = [json.loads(line) for line in client.files.content(batch.error_file_id).text.splitlines()]
    assert len(done) == batch.request_counts.completed > 0
    assert len(done) + len(late) == 200
    assert {line["error"]["code"] for line in late} == {"batch_expired"}


def test_a_batch_that_was_never_good(client):
    """It fails, and says why by line."""
    file = client.files.create(file=("lines.jsonl", b'{"custom_id": 1}\nno json\n'), purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    batch = ended(client, batch)
    assert batch.status == "failed"
    assert [(error.line, error.code) for error in batch.errors.data] == [
        (1, "invalid_custom_id"), (2, "invalid_json_line"),
    ]  # fmt: skip


def test_errors_are_the_clients_own(client):
    """A batch, a file and a window that there are not."""
    with pytest.raises(openai.NotFoundError):
        client.batches.retrieve("batch_" + "0" * 32)
    with pytest.raises(openai.NotFoundError):
        client.batches.create(input_file_id="file-none", endpoint="/v1/chat/completions", completion_window="24h")
    with pytest.raises(openai.BadRequestError) as refused:
        client.batches.create(input_file_id="file-x", endpoint="/v1/images", completion_window="24h")
    assert refused.value.param == "endpoint"

"""What is one tenant's is for no other: not read, not listed, not referred to, not guessed."""

import itertools
import re

import pytest

from tests.support.batch import CHAT
from tests.support.stack import chat
from workers.queue import new_job_id

pytestmark = pytest.mark.integration
RIVAL = {"Authorization": "Bearer ak-rival"}
LISTS = {
    "job_id": "/v1/jobs",
    "file_id": "/v1/files",
    "batch_id": "/v1/batches",
    "endpoint_id": "/v1/webhooks/endpoints",
    "delivery_id": "/v1/webhooks/deliveries",
}
OBJECTS = {**LISTS, "response_id": "/v1/responses"}
MADE_UP = "0123456789abcdef" * 2


def ids(stack, path, headers=None, **query):
    """The ids that a list has."""
    return {row["id"] for row in stack.get(path, headers=headers, params={"limit": 100, **query}).json()["data"]}


@pytest.mark.parametrize(("kind", "path"), LISTS.items())
def test_a_list_has_nothing_of_others(stack, things, kind, path):
    """The owner's has it, the other's has not; nor with the other's own filters or a cursor into it."""
    made = things.make(kind)
    if kind != "endpoint_id":
        assert made in ids(stack, path)
        beyond = stack.get(path, headers=RIVAL, params={"after": made})
        assert beyond.status_code in (200, 400, 404)
        assert ids(stack, path).isdisjoint(row["id"] for row in beyond.json().get("data", ()))
    assert made not in ids(stack, path, RIVAL)


@pytest.mark.parametrize(("kind", "path"), OBJECTS.items())
def test_anothers_thing_cannot_be_told_from_none(stack, things, kind, path):
    """The 404 has the same words as for an id that was made up: whether there is one is not told."""
    made = things.make(kind)
    none = made.rpartition(made[-32:])[0] + MADE_UP
    of_another = stack.get(f"{path}/{made}", headers=RIVAL)
    of_nobody = stack.get(f"{path}/{none}", headers=RIVAL)
    assert of_another.status_code == of_nobody.status_code == 404
    assert of_another.text.replace(made, "ID") == of_nobody.text.replace(none, "ID")


def test_anothers_response_is_no_conversation_to_go_on_from(stack, things):
    """`previous_response_id` of another tenant's response is as one that never was."""
    body = {"model": "fast", "input": "Go on.", "previous_response_id": things.make("response_id")}
    answer = stack.post(body, path="/v1/responses", headers=RIVAL)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "previous_response_not_found")


def test_anothers_file_is_no_batch(stack, things):
    """`input_file_id` of another tenant's file is as one that never was."""
    told = []
    for file_id in (things.make("file_id"), f"file-{MADE_UP}"):
        body = {"endpoint": CHAT, "completion_window": "24h", "input_file_id": file_id}
        answer = stack.post(body, path="/v1/batches", headers=RIVAL)
        assert answer.status_code in (400, 404)
        told.append(answer.text.replace(file_id, "ID"))
    assert told[0] == told[1]


def test_anothers_idempotency_key_leads_nowhere(stack):
    """The same key and body of two tenants are two jobs; another body is no conflict."""
    key = {"Idempotency-Key": "shared-words"}
    mine = stack.post(chat("Mine alone."), headers=key)
    theirs = stack.post(chat("Mine alone."), headers={**key, **RIVAL})
    other = stack.post(chat("Something else."), headers={**key, "Authorization": "Bearer ak-sealed"})
    assert mine.status_code == theirs.status_code == other.status_code == 200
    assert "Idempotent-Replayed" not in theirs.headers
    assert len({answer.headers["X-Job-Id"] for answer in (mine, theirs, other)}) == 3


def test_what_others_do_is_left_undone(stack, things):
    """After another tenant tried to cancel, delete and change them, all is as it was."""
    stack.sandbox.behave("*", latency_ms=2_000)
    job = stack.post(chat("Wait.", background=True)).json()["id"]
    file, endpoint = things.make("file_id"), things.make("endpoint_id")
    before = stack.get(f"/v1/webhooks/endpoints/{endpoint}/secret").json()
    attempts = (
        ("POST", f"/v1/jobs/{job}/cancel"),
        ("POST", f"/v1/responses/{job.replace('job_', 'resp_')}/cancel"),
        ("DELETE", f"/v1/files/{file}"),
        ("POST", f"/v1/webhooks/endpoints/{endpoint}/rotate"),
        ("DELETE", f"/v1/webhooks/endpoints/{endpoint}"),
    )
    for method, path in attempts:
        url = stack.api.url + path
        assert stack.session.request(method, url, headers=RIVAL, timeout=30).status_code == 404
    assert stack.get(f"/v1/jobs/{job}?wait=20").json()["status"] == "completed"
    assert stack.get(f"/v1/files/{file}/content").status_code == 200
    assert stack.get(f"/v1/webhooks/endpoints/{endpoint}/secret").json() == before


def test_tenants_sign_with_different_secrets(stack):
    """One tenant's webhook secret is of no use against another."""
    own, other = (stack.get("/v1/webhooks/secret", headers=headers).json()["secret"] for headers in ({}, RIVAL))
    assert own != other


@pytest.mark.parametrize("kind", ["job_id", "response_id", "file_id", "batch_id", "endpoint_id", "delivery_id"])
def test_ids_cannot_be_guessed(things, kind):
    """128 bits in hexadecimal, of which no digit stays the same: neither a counter nor a time is in them."""
    made = [things.make(kind) for _ in range(8)] if kind != "job_id" else [new_job_id() for _ in range(1_000)]
    digits = [re.fullmatch(r"[a-z]+[_-]([0-9a-f]{32})", name)[1] for name in made]
    assert len(set(digits)) == len(made)
    assert all(len(set(place)) > 1 for place in zip(*digits, strict=True))
    shared = max(sum(a == b for a, b in zip(*pair, strict=True)) for pair in itertools.pairwise(digits))
    # 32 places that agree by chance in one of 16: half of them never do.
    assert shared < 16

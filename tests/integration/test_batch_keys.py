"""Lines of a batch are bound by the key that the batch was made with."""

import json

import pytest

from tests.support.batch import create, ended, lines_of
from tests.support.process_node import wait_until
from tests.support.stack import chat

pytestmark = pytest.mark.integration


@pytest.fixture
def make_key(stack):
    """Create keys; with the tenant `acme`, which is there meanwhile."""
    providers = {"enabled": ["groq", "google-gemini"]}
    assert stack.admin("POST", "/tenants", {"tenant_id": "acme", "providers": providers}).status_code == 200
    made = []

    def make(**fields):
        made.append(stack.admin("POST", "/keys", {"tenant_id": "acme", **fields}).json())
        return made[-1]

    before = stack.session.headers["Authorization"]
    yield make
    stack.session.headers["Authorization"] = before
    stack.admin("DELETE", "/tenants/acme")


def requests(*models):
    return [{"custom_id": str(place), "body": chat(model=model)} for place, model in enumerate(models)]


def test_lines_keep_to_the_keys_models(stack, make_key):
    """A tenant made at run time has its batches run, by its key's providers; a model not its own is told."""
    key = make_key(models=["fast"], providers=["groq"])
    stack.session.headers["Authorization"] = f"Bearer {key['secret']}"
    batch = ended(stack, create(stack, requests=requests("fast", "fast"))["id"])
    assert batch["status"] == "completed", batch
    for line in lines_of(stack, batch["output_file_id"]):
        assert line["response"]["body"]["routing_metadata"]["primary_provider"] == "groq"
    refused = ended(stack, create(stack, requests=requests("fast", "google-gemini/gemini-2.5-flash", "smart"))["id"])
    assert refused["status"] == "failed"
    found = [(error["line"], error["code"]) for error in refused["errors"]["data"]]
    assert found == [(2, "no_candidates"), (3, "no_candidates")]


def test_a_revoked_key_spends_no_more(stack, make_key):
    """Lines that were not begun when their batch's key was revoked fail, each by itself, and the batch ends."""
    key = make_key()
    stack.session.headers["Authorization"] = f"Bearer {key['secret']}"
    stack.sandbox.behave("*", latency_ms=1500)
    count = 400
    made = create(stack, requests=requests(*["groq/openai/gpt-oss-20b"] * count))["id"]
    wait_until(lambda: stack.get(f"/v1/batches/{made}").json()["status"] == "in_progress", what="the first lines")
    assert stack.admin("POST", f"/keys/{key['id']}/revoke").status_code == 200
    stack.sandbox.reset()
    stack.session.headers["Authorization"] = f"Bearer {make_key()['secret']}"
    batch = ended(stack, made)
    assert batch["status"] == "completed", batch
    failed = batch["request_counts"]["failed"]
    assert 0 < failed <= count
    errors = [line["response"] for line in lines_of(stack, batch["error_file_id"])]
    assert len(errors) == failed
    assert {(line["status_code"], line["body"]["error"]["code"]) for line in errors} == {(401, "invalid_api_key")}
    assert "revoked" in json.dumps(errors[0])

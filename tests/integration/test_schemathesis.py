"""The API tried by its own document: nothing that is sent brings a 5xx, or an answer that is not documented."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.conformance import closed
from tests.support.process_node import wait_until
from tests.support.stack import KEY

pytestmark = pytest.mark.integration
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
LONGEST_S = 150
MODELS = ("fast", "groq/openai/gpt-oss-20b")
EMBEDDERS = ("gemini-embedding-001",)
# What of that makes each surface do something else.
ALWAYS = ("model", "models", "background", "stream", "deadline_s", "webhook_url", "routing_policy", "max_tokens")
PROVIDERS = ("groq", "google-gemini", "hugging-face")


def choice(*values):
    """One of these, or nothing."""
    return {"enum": [*values, None]}


def parameters(paths):
    """What is said of each parameter of each operation; nothing is deleted that the others ask for."""
    for methods in paths.values():
        for method, operation in methods.items():
            yield from operation["parameters"] if method != "delete" else ()


def streams(value):
    """What is said of each answer that is a stream."""
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from (inside,) if name == "text/event-stream" else streams(inside)


def once(schemas):
    """Leave what is the same on every surface to one of them: the others take as long, and say nothing else."""
    shared = dict(schemas["ChatCompletionRequest"]["properties"])
    for name, schema in schemas.items():
        if name.endswith("Request") and name != "ChatCompletionRequest":
            for field, told in schema.get("properties", {}).items():
                if field not in ALWAYS and told == shared.get(field):
                    schema["properties"][field] = {"type": "null"}


def reachable(document, known):
    """The document with what the running configuration can serve in place of what could be asked for.

    Else nearly every request would name a model or a job that there is none of, and no job would be made. `known` has
    ids that there are, by the name of their parameter. A deadline is one that can be met: the 504 of another is
    documented, and right. Nothing is sent to a made-up address.
    """
    schemas = document["components"]["schemas"]
    once(schemas)
    for name, schema in schemas.items():
        if "webhook_url" in schema.get("properties", ()):
            models = list(EMBEDDERS if name == "EmbeddingsRequest" else MODELS)
            schema["properties"] |= {
                "model": {"enum": models},
                "models": {"type": ["array", "null"], "maxItems": 3, "items": {"enum": models}},
                "deadline_s": {"type": ["number", "null"], "minimum": 20, "maximum": 600},
                "webhook_url": {"type": "null"},
                "routing_policy": choice("balanced", "cost-optimized", "performance-first"),
            }
    # There is no response to go on from.
    schemas["ResponsesRequest"]["properties"]["previous_response_id"] = {"type": "null"}
    for parameter in parameters(document["paths"]):
        if parameter["name"] in known:
            parameter["schema"] = {"enum": [known[parameter["name"]], "0"]}
    for stream in streams(document["paths"]):
        # It is taken for the schema of each event. Events are held against theirs in test_openapi.py.
        stream.pop("schema", None)
    names = {"type": ["array", "null"], "items": {"enum": list(PROVIDERS)}}
    schemas["PreferencesRequest"]["properties"] |= dict.fromkeys(("order", "only", "ignore"), names)
    return document


def ids(stack):
    """A job, and a response of another, each with a stream; a file."""
    job, response = (
        stack.post({"model": "fast", "stream": True, **body}, path=path).headers["X-Job-Id"]
        for path, body in (
            ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
            ("/v1/responses", {"input": "x"}),
        )
    )
    form = {"data": {"purpose": "batch"}, "files": {"file": ("lines.jsonl", b"{}")}}
    file = stack.post(path="/v1/files", **form).json()["id"]
    return {"job_id": job, "response_id": response.replace("job_", "resp_"), "file_id": file}


def webhooks(stack):
    """The jobs that have a webhook to deliver, or had one."""
    client = stack.redis.client
    made = {key.removeprefix("mr:delivery:") for key in client.scan_iter("mr:delivery:*", count=1000)}
    return made | set(client.zrange("mr:outbox", 0, -1))


@pytest.fixture
def endpoint(stack):
    """One of as many webhook endpoints as may be, all disabled: no more can be made up."""
    path, made = "/v1/webhooks/endpoints", []
    while (response := stack.post({"url": "http://127.0.0.1:9/", "disabled": True}, path=path)).status_code == 200:
        made.append(response.json()["id"])
    yield made[0]
    for name in made:
        stack.session.delete(f"{stack.api.url}{path}/{name}")


def test_the_api_holds_to_its_document(stack, tmp_path, endpoint):
    """Made-up requests, sound and not: no 5xx, only documented statuses, types, headers and shapes; keys are needed."""
    file = tmp_path / "openapi.json"
    known = {**ids(stack), "endpoint_id": endpoint}
    file.write_text(json.dumps(reachable(closed(stack.get("/openapi.json").json()), known)))
    before, deliveries = stack.job_count(), webhooks(stack)
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIGURATION, "run", file),
            *("--url", stack.api.url, "--header", f"Authorization: Bearer {KEY}", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert webhooks(stack) <= deliveries, "something was sent to a made-up address"
    assert stack.job_count() > before + 20, "hardly a request was taken: nothing was tried"
    assert "request.failed" not in stack.api.logs()
    wait_until(lambda: stack.jobs_left() == 0, what="the end of the jobs")

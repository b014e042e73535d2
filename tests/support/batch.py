"""What tests of batches do over and over: write lines, upload them, wait for the end."""

import json

from tests.support.process_node import wait_until
from tests.support.stack import chat

CHAT = "/v1/chat/completions"
ENDED = ("completed", "failed", "expired", "cancelled")


def entry(number, url=CHAT, **fields):
    body = chat(f"line {number}", model="fast") | fields
    return {"custom_id": f"line-{number}", "method": "POST", "url": url, "body": body}


def jsonl(lines):
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def upload(stack, data, **headers):
    answer = stack.session.post(
        f"{stack.api.url}/v1/files",
        files={"file": ("lines.jsonl", data, "application/jsonl")},
        data={"purpose": "batch"},
        headers=headers,
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def create(stack, **fields):
    body = {"endpoint": CHAT, "completion_window": "24h", **fields}
    answer = stack.post(body, path="/v1/batches")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(stack, batch_id, timeout_s=60):
    def look():
        batch = stack.get(f"/v1/batches/{batch_id}").json()
        return batch if batch["status"] in ENDED else None

    return wait_until(look, timeout_s=timeout_s, what=f"the end of {batch_id}")


def lines_of(stack, file_id):
    return [json.loads(line) for line in stack.get(f"/v1/files/{file_id}/content").content.splitlines()]

"""kill -9 of the API in the middle of an upload: nothing of it is left."""

import threading
import time
from pathlib import Path

import pytest
import requests
from celery import Celery

from tests.support.process_node import wait_until
from tests.support.stack import KEY
from workers import queues

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]
BLOCK = b"x" * 1024 * 1024
HEAD = (
    b'--xx\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b'--xx\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
)


def stored(stack):
    """How many bytes stand in the storage, half-written ones as well."""
    return sum(path.stat().st_size for path in Path(stack.files.name).rglob("*") if path.is_file())


def sweep(stack):
    """Publish the periodic task, as the scheduler does."""
    with Celery(broker=stack.redis.url) as app:
        app.conf.update(
            broker_transport=queues.TRANSPORT, broker_transport_options=queues.broker_options("mr:", concurrency=1)
        )
        app.send_task("workers.tasks.sweep_files", queue=queues.MAINTENANCE, ignore_result=True)


def test_a_killed_api_leaves_nothing_of_an_upload(start_stack):
    """Nobody sees the file; once it is due, the periodic sweep removes bytes and record, and other files stay."""
    stack = start_stack(background=True)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "multipart/form-data; boundary=xx"}
    whole = requests.post(
        f"{stack.api.url}/v1/files", data=HEAD + b"line\r\n--xx--\r\n", headers=headers, timeout=20
    ).json()
    killed = threading.Event()

    def slowly():
        yield HEAD
        for _ in range(5):
            yield BLOCK
        killed.wait(30)

    def send():
        with pytest.raises(requests.RequestException):
            requests.post(f"{stack.api.url}/v1/files", data=slowly(), headers=headers, timeout=60)

    sending = threading.Thread(target=send)
    sending.start()
    wait_until(lambda: stored(stack) > 3 * len(BLOCK), what="bytes of the upload")
    stack.api.kill()
    killed.set()
    sending.join()
    stack.api.start()
    stack.api.ready()
    client = stack.redis.client
    [coming] = [id_ for id_ in client.zrange("mr:file_expiry", 0, -1) if id_ != whole["id"]]
    assert [file["id"] for file in stack.get("/v1/files").json()["data"]] == [whole["id"]]
    assert stack.get(f"/v1/files/{coming}").status_code == 404
    # Not before it is given up: an upload may be slow.
    assert client.zscore("mr:file_expiry", coming) > time.time() * 1000 + 100_000
    client.zadd("mr:file_expiry", {coming: 1})
    sweep(stack)
    wait_until(lambda: stored(stack) == len(b"line"), what="the bytes' removal")
    wait_until(lambda: client.zrange("mr:file_expiry", 0, -1) == [whole["id"]], what="the record's removal")
    assert stack.get(f"/v1/files/{whole['id']}/content").content == b"line"

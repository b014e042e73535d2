"""A caller that hangs up: its job is cancelled, or goes on if it meant to come back."""

import socket

import pytest

from tests.support.process_node import wait_until
from tests.support.stack import KEY, chat, dump, ended_object

pytestmark = pytest.mark.integration


@pytest.fixture
def hang_up(stack):
    """Send a request, close the connection once the provider is at work on it, and return the job's id."""

    def ask(*headers, **fields):
        body = dump(chat("Hello?", **fields))
        lines = [
            "POST /v1/chat/completions HTTP/1.1",
            "Host: x",
            f"Authorization: Bearer {KEY}",
            f"Content-Length: {len(body)}",
            *headers,
        ]
        before = set(stack.redis.client.zrange("mr:schedule", 0, -1))
        with socket.create_connection(("127.0.0.1", stack.api.port), timeout=5) as connection:
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            wait_until(lambda: stack.sandbox.calls()["in_flight"] == 1, what="the call")
            [job_id] = set(stack.redis.client.zrange("mr:schedule", 0, -1)) - before
        return job_id

    stack.sandbox.behave("groq", latency_ms=4000)
    return ask


def test_an_abandoned_job_is_cancelled(stack, hang_up):
    """Nobody pays for an answer nobody waits for: the job ends and the provider sees its call closed."""
    assert ended_object(stack, hang_up())["status"] == "cancelled"
    wait_until(lambda: stack.sandbox.calls()["disconnected"] == 1, what="the closed call")


@pytest.mark.parametrize(
    ("headers", "fields"),
    [((), {"on_disconnect": "detach"}), (("Idempotency-Key: come-back",), {})],
    ids=["detach", "key"],
)
def test_a_detached_job_goes_on(stack, hang_up, headers, fields):
    """A job its caller will come back for is finished and kept."""
    assert ended_object(stack, hang_up(*headers, **fields))["status"] == "completed"

"""What callers send cannot write lines of its own into a log, or move the cursor of who reads it."""

import json

import pytest
import structlog

from config import logs
from tests.support.raw_http import exchange, head
from tests.support.stack import chat, dump

pytestmark = pytest.mark.integration
FORGED = '\n{"event": "forged", "level": "error"}\r\n\x1b[2J\x1b[31m\x07\u2028\u0085'


def nodes(stack):
    """Every process that logs."""
    return [stack.api, *stack.workers.values()]


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "fast" + FORGED},
        {"model": "groq/nothing" + FORGED},
        {"user": FORGED},
        {"metadata": {"name" + FORGED: FORGED}},
        {"messages": [{"role": "user", "content": FORGED}]},
        {"routing_policy": FORGED},
        {"webhook_url": "http://127.0.0.1:9/" + FORGED},
        {"safety_identifier": FORGED, "prompt_cache_key": FORGED},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_fields_write_no_lines(stack, fields):
    """Line ends and escape codes in fields stand in no log as such, whether the request is served or refused."""
    before = [len(node.logs()) for node in nodes(stack)]
    stack.post({**chat("x", model="fast"), **fields})
    for node, start in zip(nodes(stack), before, strict=True):
        new = node.logs()[start:]
        assert "\x1b" not in new
        assert not any(line.startswith('{"event": "forged"') for line in new.splitlines())


def test_a_requests_id_is_of_visible_characters(stack):
    """Another is replaced, and what no header may hold is refused before anything reads it."""
    for given in ("x" * 200, "a b", "\xe9\xe9"):
        answer = exchange(stack.api.port, head("/livez", "GET", X_Request_Id=given))
        assert answer.headers["x-request-id"].startswith("req_")
    for given in ("a\x1b[31mb", "a\x00b", "a\x07b"):
        assert exchange(stack.api.port, head("/livez", "GET", X_Request_Id=given)).status == 400


def test_a_failing_provider_cannot_write_lines_either(stack):
    """What a provider answers is as little trusted: its words are in no log as lines."""
    stack.sandbox.behave("*", fault="status", status=400)
    stack.post(chat(FORGED))
    assert not any(line.startswith('{"event": "forged"') for node in nodes(stack) for line in node.logs().splitlines())
    assert all("\x1b" not in node.logs() for node in nodes(stack))


def test_a_terminal_is_shown_escapes_and_not_their_effect(monkeypatch, capsys):
    """On a terminal, too, values are written out as Python writes strings."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    before = structlog.get_config()
    try:
        logs.configure("info")
        structlog.get_logger().info("request.refused", model="fast" + FORGED)
    finally:
        structlog.configure(**before)
    written = capsys.readouterr().err
    assert "\x1b[2J" not in written
    assert "\\x1b[2J" in written
    assert written.count("\n") == 1


def test_every_line_of_the_api_is_one_event(stack):
    """Lines of ours are JSON, each whole."""
    stack.session.post(f"{stack.api.url}/v1/chat/completions", data=dump(chat(FORGED, model="fast" + FORGED)))
    ours = [line for line in stack.api.logs().splitlines() if line.startswith("{")]
    assert all("event" in json.loads(line) for line in ours)

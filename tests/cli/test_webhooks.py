"""`model-router webhooks listen`: what verifies is printed as such, what does not is refused."""

import json
import subprocess
import sys
import time

import pytest
import requests
from rich.console import Console
from standardwebhooks.webhooks import Webhook

from cli.webhook_listener import Received
from cli.webhook_printing import as_text
from tests.cli.conftest import ROOT
from workers.signature import new_secret, sign, why_not_verified

SECRET, OTHER = new_secret(), new_secret()
EVENT = {"type": "job.completed", "data": {"id": "job_1", "model": "fast"}}


@pytest.fixture
def listener(environment):
    """The command with one secret; gives its URL and its process."""
    argv = [sys.executable, "-m", "cli", "webhooks", "listen", "--port", "0", "--secret", SECRET, "--secret", OTHER]
    with subprocess.Popen(
        argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        said = process.stderr.readline()
        yield next(word for word in said.split() if word.startswith("http://")), process
        process.kill()


def headers(secret, body, at=None):
    at = int(time.time()) if at is None else at
    return {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": sign(secret, "msg_1", at, body)}


def test_what_verifies_is_printed_and_taken(listener):
    """A line of JSON in a pipe for each event, with any of the secrets; 204 to the sender."""
    url, process = listener
    body = json.dumps(EVENT).encode()
    for secret in (SECRET, OTHER):
        assert requests.post(url, data=body, headers=headers(secret, body), timeout=10).status_code == 204
        line = json.loads(process.stdout.readline())
        assert (line["verified"], line["fault"], line["webhook_id"], line["event"]) == (True, None, "msg_1", EVENT)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"webhook-signature": f"v1,{'A' * 43}="}, "no signature"),
        ({"webhook-signature": ""}, "missing"),
        ({"webhook-id": "msg_2"}, "no signature"),
        ({"webhook-timestamp": "soon"}, "no Unix time"),
        ({"webhook-timestamp": "1000000000"}, "300 s off"),
    ],
)
def test_what_does_not_verify_is_refused(listener, change, fault):
    """401 to the sender, and the reason in the line."""
    url, process = listener
    body = b"not even JSON"
    assert requests.post(url, data=body, headers=headers(SECRET, body) | change, timeout=10).status_code == 401
    line = json.loads(process.stdout.readline())
    assert (line["verified"], line["event"]) == (False, "not even JSON")
    assert fault in line["fault"]


def test_the_standards_own_library_agrees():
    """What it signs verifies here, and the edges of the time tolerance are 300 s on both sides."""
    body, now = json.dumps(EVENT), int(time.time())
    for offset, taken in ((-301, False), (-299, True), (299, True), (301, False)):
        at = now + offset
        signed = sign(SECRET, "msg_1", at, body.encode())
        assert (why_not_verified([OTHER, SECRET], "msg_1", str(at), signed, body.encode(), now) is None) == taken
    assert Webhook(SECRET).verify(body, headers(SECRET, body.encode())) == EVENT


def test_a_terminal_gets_one_line_without_markup(capsys):
    """Names from the event are text, whatever brackets they hold."""
    event = {"type": "job.failed", "data": {"id": "[bold]x", "error": {"message": "[/oops]"}}}
    Console(width=200).print(as_text(Received("msg_1", json.dumps(event).encode(), None, 0.0)))
    assert "verified job.failed  [bold]x  [/oops]" in capsys.readouterr().out


def test_without_a_secret_or_an_api_it_is_one_line(run, free_ports):
    """The command says what it needs."""
    failed = run("webhooks", "listen", **free_ports)
    assert failed.returncode == 1
    assert "--secret" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
    broken = run("webhooks", "listen", "--secret", "secret", **free_ports)
    assert (broken.returncode, len(broken.stderr.splitlines())) == (1, 1)
    assert "whsec_" in broken.stderr

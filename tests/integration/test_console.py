"""What the API serves for the console: the page and its files, and the first view's figures."""

import gzip
import hashlib
import re

import pytest
import requests

from api.console_page import FOLDER
from tests.support.conformance import Conformance
from tests.support.process_node import free_port, wait_until
from tests.support.stack import ApiNode, chat

pytestmark = pytest.mark.integration
ADMIN_KEY = "an-admin-key-of-this-test"
RIVAL = {"Authorization": "Bearer ak-rival"}
# Of the npm package uplot 1.6.32, as published.
VENDOR = {
    "uPlot.LICENSE.txt": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


def anonymous(stack, path, **headers):
    return requests.get(f"{stack.api.url}{path}", headers=headers, timeout=30)


def addresses(html):
    return re.findall(r'(?:href|src)="(/console/[^"]+)"', html)


def test_foreign_files_are_as_published():
    """The chart library is what its makers ship, with its licence."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (FOLDER / "vendor").iterdir()}
    assert found == VENDOR


def test_the_page_needs_no_key_and_runs_only_its_own(stack):
    """Its policy allows files of this origin and nothing inline, and it has nothing inline."""
    answer = anonymous(stack, "/console")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", answer.text)
    assert not re.search(r"(?:https?:)?//", " ".join(re.findall(r'(?:href|src)="([^"]*)"', answer.text)))


def test_files_are_asked_for_once(stack):
    """The page is asked for again by its ETag; what it names has a hash in its address and is kept for ever."""
    first = anonymous(stack, "/console")
    assert first.headers["Cache-Control"] == "no-cache"
    assert not first.headers["ETag"].startswith("W/")
    again = anonymous(stack, "/console", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    named = addresses(first.text)
    assert len(named) > 8
    for address in named:
        answer = anonymous(stack, address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["ETag"]
    other = anonymous(stack, re.sub(r"/console/\w+/", "/console/another/", named[-1]))
    assert (other.status_code, other.headers["Cache-Control"]) == (200, "no-cache")


def test_files_are_packed_for_who_can_unpack(stack):
    """Both encodings say the same, under ETags of their own."""
    path = addresses(anonymous(stack, "/console").text)[-1]
    plain = anonymous(stack, path, **{"Accept-Encoding": "identity"})
    with requests.get(f"{stack.api.url}{path}", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=30) as answer:
        packed = answer.raw.read(decode_content=False)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["ETag"] != plain.headers["ETag"]
    assert gzip.decompress(packed) == plain.content
    assert plain.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("name", ["nothing.js", "../console_page.py", "%2e%2e/console_page.py", "etc/passwd", "views"])
def test_there_are_no_other_files(stack, name):
    """A path leads to a file of the console or nowhere."""
    answer = requests.Session().send(
        requests.Request("GET", f"{stack.api.url}/console/x/{name}").prepare(), timeout=30, allow_redirects=False
    )
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_scripts_put_nothing_in_as_html():
    """No script of ours has a way from text to markup."""
    ways = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function|srcdoc")
    scripts = [path for path in FOLDER.rglob("*.js") if path.parent.name != "vendor"]
    assert len(scripts) > 10
    assert {path.name: ways.findall(path.read_text()) for path in scripts if ways.search(path.read_text())} == {}


def test_a_tenant_sees_its_own_hour(stack):
    """Another tenant's jobs are not in its figures; providers, queues and limits are there for both."""
    path, conformance = "/v1/console/overview", Conformance(stack.get("/openapi.json").json())

    def ended(headers=None):
        answer = stack.get(path, headers=headers or {})
        assert answer.status_code == 200, answer.text
        conformance.check(answer)
        return sum(sum(minute["jobs"].values()) for minute in answer.json()["history"])

    before, rival = ended(), ended(RIVAL)
    assert stack.post(chat("mine")).status_code == 200
    wait_until(lambda: ended() > before, what="the minute's figures")
    assert ended(RIVAL) == rival
    shown = stack.get(path).json()
    assert shown["caller"]["tenant_id"] == "default"
    assert {"overview", "jobs", "failed", "batches", "webhooks", "playground"} <= set(shown["caller"]["views"])
    assert shown["totals"] is None
    assert shown["providers"]["groq"]["status"] != "disabled"
    [queue] = [queue for queue in shown["queues"] if queue["name"] == "provider.groq"]
    assert queue["workers"] == 1
    assert set(queue["depth"]) == {"priority", "default", "flex", "batch"}


def test_without_a_key_it_shows_nothing(stack):
    """The figures are for who has a key."""
    for headers in ({}, {"Authorization": "Bearer nobody"}):
        assert anonymous(stack, "/v1/console/overview", **headers).status_code == 401


def test_the_admin_sees_everybody_and_closed_metrics_stay_closed(stack):
    """The admin key shows all tenants' hour; where /metrics needs a key, a tenant is shown no queues."""
    environment = {
        "PORT": str(free_port()),
        "MODEL_ROUTER_ADMIN_KEY": ADMIN_KEY,
        "MODEL_ROUTER_METRICS_KEY": "scrape-me-if-you-please",
    }
    api = ApiNode({**stack.environment, **environment}, "admin-api")

    def overview(key):
        headers = {"Authorization": f"Bearer {key}"}
        path = "/admin/v1/overview" if key == ADMIN_KEY else "/v1/console/overview"
        answer = requests.get(f"{api.url}{path}", timeout=30, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ended(shown):
        return sum(sum(minute["jobs"].values()) for minute in shown["history"])

    try:
        api.ready()
        before = ended(overview(ADMIN_KEY))
        assert stack.post(chat("one")).status_code == 200
        assert stack.post(chat("two"), headers=RIVAL).status_code == 200
        wait_until(lambda: ended(overview(ADMIN_KEY)) >= before + 2, what="both tenants' figures")
        admin, tenant = overview(ADMIN_KEY), overview("ak-rival")
        assert admin["caller"]["kind"] == "admin"
        tenants = {"Authorization": "Bearer ak-rival"}
        assert requests.get(f"{api.url}/admin/v1/overview", timeout=30, headers=tenants).status_code == 403
        assert admin["totals"]["redis_used_bytes"] > 0
        assert admin["queues"]
        assert tenant["caller"]["tenant_id"] == "rival"
        assert (tenant["queues"], tenant["limits"], tenant["totals"]) == (None, None, None)
    finally:
        api.kill()
        api.teardown()

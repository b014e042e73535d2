"""Endpoints that a tenant sets up, their secrets, and the log of what was sent to them, on the running product."""

import threading
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.support.conformance import Conformance
from tests.support.process_node import wait_until
from tests.support.stack import chat
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.integration
ENDPOINTS = "/v1/webhooks/endpoints"
DELIVERIES = "/v1/webhooks/deliveries"
RIVAL = {"Authorization": "Bearer ak-rival"}


@pytest.fixture
def endpoint(stack):
    """Create an endpoint by the API; all are deleted at the end."""
    made = []

    def create(url, **fields):
        response = stack.post({"url": url, **fields}, path=ENDPOINTS)
        assert response.status_code == 200, response.text
        made.append(response.json()["id"])
        return response.json()

    yield create
    for name in made:
        stack.session.delete(f"{stack.api.url}{ENDPOINTS}/{name}")


@pytest.fixture
def receiver():
    with WebhookReceiver() as listening:
        yield listening


def secret(stack, made):
    return stack.get(f"{ENDPOINTS}/{made['id']}/secret").json()["secret"]


def settled(stack, made):
    """The endpoint's deliveries once none is pending any more."""

    def ended():
        found = stack.get(f"{DELIVERIES}?endpoint={made['id']}").json()["data"]
        return found if found and all(delivery["status"] != "pending" for delivery in found) else None

    return wait_until(ended, what="the deliveries' end")


def test_a_job_is_told_to_the_endpoints_that_want_it(stack, endpoint, receiver):
    """Without anything in the request; signed with the endpoint's own secret; the log has it, with its attempt."""
    made = endpoint(receiver.url, events=["job.completed"], description="all is well")
    endpoint(receiver.url, events=["job.failed"])
    job_id = stack.post(chat("Tell them.")).headers["X-Job-Id"]
    [listed] = settled(stack, made)
    [(headers, body)] = receiver.received
    assert Webhook(secret(stack, made)).verify(body, headers)["data"]["id"] == job_id
    shown = stack.get(f"{DELIVERIES}/{listed['id']}").json()
    assert (shown["subject"], shown["event"], shown["status"]) == (job_id, "job.completed", "delivered")
    assert [attempt["status_code"] for attempt in shown["attempts"]] == [200]
    assert shown["subject_available"] is True


def test_other_ends_have_their_own_events(stack, endpoint, receiver):
    """Cancelled and failed jobs reach who wants those."""
    made = endpoint(receiver.url, events=["job.cancelled", "job.failed"])
    stack.sandbox.behave("*", latency_ms=20_000)
    job = stack.post(chat(background=True)).json()
    stack.post(path=f"/v1/jobs/{job['id']}/cancel")
    stack.sandbox.reset()
    stack.sandbox.behave("*", fault="status", status=500)
    stack.post(chat("Fail."))
    wait_until(lambda: len(receiver.received) == 2, what="both")
    verified = [Webhook(secret(stack, made)).verify(body, headers) for headers, body in receiver.received]
    assert sorted(event["type"] for event in verified) == ["job.cancelled", "job.failed"]


def test_a_test_is_sent_when_asked_for(stack, endpoint, receiver):
    """Whatever the endpoint wants."""
    made = endpoint(receiver.url, events=["batch.failed"])
    sent = stack.post(path=f"{ENDPOINTS}/{made['id']}/test")
    assert (sent.status_code, sent.json()["status"]) == (202, "pending")
    settled(stack, made)
    [(headers, body)] = receiver.received
    assert Webhook(secret(stack, made)).verify(body, headers)["type"] == "webhook.test"


@pytest.mark.parametrize("own", [True, False], ids=["tenant", "endpoint"])
def test_a_rotated_secret_is_valid_beside_the_new_one(stack, endpoint, receiver, own):
    """Both verify while the grace lasts, and after a rotation without one only the newest."""
    made = None if own else endpoint(receiver.url)
    shown = "/v1/webhooks/secret" if own else f"{ENDPOINTS}/{made['id']}/secret"
    rotate = f"{shown}/rotate" if own else f"{ENDPOINTS}/{made['id']}/rotate"
    old = stack.get(shown).json()["secret"]

    def sent():
        receiver.received.clear()
        stack.post(chat("Sign it.", **({"webhook_url": receiver.url} if own else {})))
        wait_until(lambda: receiver.received, what="the webhook")
        return receiver.received[0]

    rotated = stack.post(path=rotate).json()
    [older] = [kept for kept in rotated["previous"] if kept["secret"] == old]
    assert older["valid_until"] == pytest.approx(time.time() + 86_400, abs=60)
    assert stack.get(shown).json() == rotated
    headers, body = sent()
    for known in (old, rotated["secret"]):
        assert Webhook(known).verify(body, headers)
    last = stack.post({"grace_s": 0}, path=rotate).json()["secret"]
    headers, body = sent()
    assert Webhook(last).verify(body, headers)
    for known in (old, rotated["secret"]):
        with pytest.raises(WebhookVerificationError):
            Webhook(known).verify(body, headers)


def test_deliveries_are_sent_again(stack, endpoint):
    """One by its id, and those of a time range, each with the webhook-id it had."""
    with WebhookReceiver(statuses=[410]) as receiver:
        made = endpoint(receiver.url)
        began = time.time() - 5
        stack.post(chat("Missed."))
        [missed] = settled(stack, made)
        assert (missed["status"], missed["error"]) == ("failed", "HTTP 410")
        refused = stack.post(path=f"{DELIVERIES}/{missed['id']}/redeliver")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "webhook_conflict")
        assert stack.get(f"{ENDPOINTS}/{made['id']}").json()["disabled_reason"] == "it answered 410 Gone"
        enabled = stack.session.patch(f"{stack.api.url}{ENDPOINTS}/{made['id']}", json={"disabled": False}).json()
        assert (enabled["disabled"], enabled["disabled_reason"], enabled["url"]) == (False, None, receiver.url)
        assert stack.post(path=f"{DELIVERIES}/{missed['id']}/redeliver").status_code == 202
        assert settled(stack, made)[0]["status"] == "delivered"
        span = {"from": began, "to": time.time() + 5, "endpoint": made["id"]}
        assert stack.post({**span, "status": "failed"}, path="/v1/webhooks/replay").json()["redelivered"] == 0
        assert stack.post(span, path="/v1/webhooks/replay").json()["redelivered"] == 1
        assert stack.post({**span, "to": began}, path="/v1/webhooks/replay").json()["redelivered"] == 0
        wait_until(lambda: len(receiver.received) == 3, what="all three")
        assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1


def test_the_log_is_paged_and_filtered(stack, endpoint, receiver):
    """The newest first, page by page, each once."""
    made = endpoint(receiver.url)
    jobs = [stack.post(chat(f"Number {number}.")).headers["X-Job-Id"] for number in range(5)]
    wait_until(lambda: len(receiver.received) == 5, what="all five")
    settled(stack, made)
    seen, after = [], ""
    while True:
        page = stack.get(f"{DELIVERIES}?endpoint={made['id']}&limit=2&event=job.completed&after={after}").json()
        seen += [delivery["subject"] for delivery in page["data"]]
        if not page["has_more"]:
            break
        after = page["last_id"]
    assert sorted(seen) == sorted(jobs)
    assert stack.get(f"{DELIVERIES}?endpoint={made['id']}&status=failed").json()["data"] == []


def test_tenants_do_not_see_each_others(stack, endpoint, receiver):
    """Another tenant's endpoints and deliveries are not there."""
    made = endpoint(receiver.url)
    stack.post(chat("Mine."))
    [delivery] = settled(stack, made)
    for method, path, body in (
        ("GET", f"{ENDPOINTS}/{made['id']}", None),
        ("PATCH", f"{ENDPOINTS}/{made['id']}", {"disabled": True}),
        ("DELETE", f"{ENDPOINTS}/{made['id']}", None),
        ("GET", f"{ENDPOINTS}/{made['id']}/secret", None),
        ("POST", f"{ENDPOINTS}/{made['id']}/rotate", None),
        ("POST", f"{ENDPOINTS}/{made['id']}/test", None),
        ("GET", f"{DELIVERIES}/{delivery['id']}", None),
        ("POST", f"{DELIVERIES}/{delivery['id']}/redeliver", None),
        ("POST", "/v1/webhooks/replay", {"from": 0, "to": 2e9, "endpoint": made["id"]}),
    ):
        response = stack.session.request(method, stack.api.url + path, json=body, headers=RIVAL)
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found"), (method, path)
    assert stack.get(ENDPOINTS, headers=RIVAL).json()["data"] == []
    assert stack.get(f"{DELIVERIES}?endpoint={made['id']}", headers=RIVAL).json()["data"] == []
    assert stack.post({"from": 0, "to": 2e9}, path="/v1/webhooks/replay", headers=RIVAL).json()["redelivered"] == 0
    assert stack.get(f"{ENDPOINTS}/{made['id']}").json() == made


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "url"),
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "http://user:word@example.com/"}, "url"),
        ({"url": "http://example.com/" + "x" * 3000}, "url"),
        ({"url": "http://example.com/", "events": ["job.lost"]}, "events[0]"),
        ({"url": "http://example.com/", "events": []}, "events"),
        ({"url": "http://example.com/", "events": "job.completed"}, "events"),
        ({"url": "http://example.com/", "disabled": "yes"}, "disabled"),
        ({"url": "http://example.com/", "description": "x" * 2000}, "description"),
        ({"url": "http://example.com/", "event": "*"}, "event"),
    ],
)
def test_bad_endpoints_are_refused_by_the_field(stack, body, param):
    """400 with the field's name; nothing is created."""
    response = stack.post(body, path=ENDPOINTS)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    assert stack.get(ENDPOINTS).json()["data"] == []


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/webhooks/secret/rotate", {"grace_s": -1}, "grace_s"),
        ("/v1/webhooks/secret/rotate", {"grace": 1}, "grace"),
        ("/v1/webhooks/replay", {"from": 5}, "to"),
        ("/v1/webhooks/replay", {"from": 5, "to": 4}, "to"),
        ("/v1/webhooks/replay", {"from": "x", "to": 4}, "from"),
        ("/v1/webhooks/replay", {"from": 1, "to": 4, "status": "pending"}, "status"),
    ],
)
def test_other_bad_bodies_are_refused_by_the_field(stack, path, body, param):
    """400 with the field's name."""
    response = stack.post(body, path=path)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


def test_there_may_be_twenty(stack, endpoint, receiver):
    """The next is refused, also of twenty-five that come at once, and there is room again after one is deleted."""
    answers = []

    def create():
        answers.append(stack.post({"url": receiver.url, "disabled": True}, path=ENDPOINTS))

    threads = [threading.Thread(target=create) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [answer.json()["id"] for answer in answers if answer.status_code == 200]
    try:
        assert len(made) == 20
        assert {answer.status_code for answer in answers} == {200, 409}
        assert stack.session.delete(f"{stack.api.url}{ENDPOINTS}/{made[0]}").json()["deleted"] is True
        endpoint(receiver.url, disabled=True)
    finally:
        for name in made[1:]:
            stack.session.delete(f"{stack.api.url}{ENDPOINTS}/{name}")


def test_slow_receivers_delay_nobody_else(stack, endpoint):
    """While a host lets 40 deliveries wait, more than the worker has slots for, another host's arrive."""
    with WebhookReceiver(delay_s=3) as slow, WebhookReceiver() as quick:
        made = endpoint(slow.url)
        for number in range(40):
            stack.post(chat(f"Number {number}."))
        wait_until(lambda: len(slow.received) >= 4, what="the slow ones")
        stack.post(chat("Quick.", webhook_url=quick.url.replace("127.0.0.1", "localhost")))
        wait_until(lambda: quick.received, what="the quick one")
        assert len(slow.received) < 40
        assert slow.most_at_once == 4
        # The rest need not be waited for.
        stack.session.delete(f"{stack.api.url}{ENDPOINTS}/{made['id']}")


def test_every_answer_is_as_documented(stack, endpoint, receiver):
    """Endpoints, secrets and deliveries, field by field."""
    conformance = Conformance(stack.get("/openapi.json").json())
    made = endpoint(receiver.url)
    stack.post(chat("Look."))
    [delivery] = settled(stack, made)
    url = stack.api.url
    for response in (
        stack.get(ENDPOINTS),
        stack.get(f"{ENDPOINTS}/{made['id']}"),
        stack.session.patch(f"{url}{ENDPOINTS}/{made['id']}", json={"events": ["job.failed"], "description": "x"}),
        stack.post({"grace_s": 5}, path=f"{ENDPOINTS}/{made['id']}/rotate"),
        stack.get(f"{ENDPOINTS}/{made['id']}/secret"),
        stack.post(path=f"{ENDPOINTS}/{made['id']}/test"),
        stack.get(f"{DELIVERIES}?limit=1"),
        stack.get(f"{DELIVERIES}/{delivery['id']}"),
        stack.post(path=f"{DELIVERIES}/{delivery['id']}/redeliver"),
        stack.post({"from": 0, "to": 1}, path="/v1/webhooks/replay"),
        stack.session.delete(f"{url}{ENDPOINTS}/{made['id']}"),
    ):
        assert response.status_code in (200, 202), response.text
        conformance.check(response)


def test_a_secret_of_the_tenants_file_is_changed_there(stack, receiver):
    """It signs, it is shown, and it is not rotated here."""
    headers = {"Authorization": "Bearer ak-sealed"}
    known = stack.get("/v1/webhooks/secret", headers=headers).json()
    refused = stack.post(path="/v1/webhooks/secret/rotate", headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "webhook_conflict")
    stack.post(chat("Signed.", webhook_url=receiver.url), headers=headers)
    wait_until(lambda: receiver.received, what="the webhook")
    [(signed, body)] = receiver.received
    assert Webhook(known["secret"]).verify(body, signed)
    assert known == {"object": "webhook_secret", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "previous": []}

"""Tenants' own provider keys on the running product: whose key a call goes out with, and whose limits count."""

import itertools
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet

from routing.breaker import Breaker
from tests.support.conformance import Conformance
from tests.support.process_node import wait_until
from tests.support.stack import Stack, chat, copy_configuration

pytestmark = pytest.mark.integration
PATH = "/v1/provider-keys"
NUMBERS = itertools.count()
PLAIN, ACME, FILED = ({"Authorization": f"Bearer ak-{name}"} for name in ("plain", "acme", "filed"))
SHARED = {"first": "shared-first", "second": "shared-second"}
FILED_KEY = "canary-filed-0001"
PROVIDERS = ("first", "second", "bare")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Two accounts that all share, and one without a shared key; three tenants, one with a key in its file."""
    folder = tmp_path_factory.mktemp("own") / "config"
    copy_configuration(folder)
    (folder / "models.json").write_text("{}")
    shutil.rmtree(folder / "tenants")
    (folder / "tenants").mkdir()
    keys = {"filed": {"first": {"api_key_env": "FILED_KEY"}, "second": {"api_key_env": "NOT_SET"}}}
    for name in ("plain", "acme", "filed"):
        providers = {"enabled": PROVIDERS, "keys": keys.get(name, {})}
        tenant = {"tenant_id": name, "api_keys": [f"ak-{name}"], "providers": providers}
        (folder / "tenants" / f"{name}.json").write_text(json.dumps(tenant))
    environment = {
        "MODEL_ROUTER_CONFIG": str(folder),
        "MODEL_ROUTER_CONFIG_POLL_S": "0.1",
        "LOG_LEVEL": "debug",
        "MODEL_ROUTER_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        "FILED_KEY": FILED_KEY,
        **{f"{name.upper()}_KEY": key for name, key in SHARED.items()},
    }

    def write(sandbox):
        rows = {
            name: {"type": "openai", "endpoint": f"{sandbox}/{name}/v1", "api_key_env": f"{name.upper()}_KEY"}
            for name in PROVIDERS
        }
        (folder / "providers.json").write_text(json.dumps(rows))

    write("http://127.0.0.1:9")
    stack = Stack(PROVIDERS, background=True, environment=environment)
    write(stack.sandbox.url)
    wait_until(lambda: ask(stack, PLAIN).status_code == 200, what="the real addresses")
    yield stack
    stack.stop()


@pytest.fixture
def stack(running):
    """A sandbox that behaves, nothing learnt, and no stored keys."""
    for provider in PROVIDERS:
        running.session.delete(f"{running.api.url}{PATH}/{provider}", headers=ACME)
    running.sandbox.reset()
    running.redis.client.delete("mr:permits", "mr:breakers", "mr:health")
    return running


@pytest.fixture
def put(stack):
    """Store a fresh key of acme's; returns it."""

    def store(provider, **fields):
        key = f"canary-{next(NUMBERS):04d}-of-acme"
        answer = stack.session.put(
            f"{stack.api.url}{PATH}/{provider}", json={"api_key": key, **fields}, headers=ACME, timeout=20
        )
        assert answer.status_code == 200, answer.text
        assert "canary" not in answer.text
        return key

    return store


def ask(stack, headers, model="first/m", **fields):
    return stack.post(chat(model=model, **fields), headers=headers)


def attempts(answer):
    assert answer.status_code == 200, answer.text
    return [
        (attempt["provider"], attempt["status"], attempt.get("credential"))
        for attempt in answer.json()["routing_metadata"]["attempts"]
    ]


def keys_of(stack, provider="first"):
    return [call["key"] for call in stack.sandbox.calls(log=True)["log"] if call["provider"] == provider]


def test_a_key_is_written_and_never_read_back(stack, put):
    """There is one, its last four characters, since when: that is all; it is replaced and taken away."""
    conformance = Conformance(stack.get("/openapi.json").json())
    url = f"{stack.api.url}{PATH}"

    def checked(answer):
        conformance.check(answer)
        return answer

    def get(path=""):
        return checked(stack.session.get(url + path, headers=ACME, timeout=20))

    assert get("/first").status_code == 404
    key = put("first")
    shown = get("/first").json()
    assert (shown["provider"], shown["last4"], shown["fallback_to_shared"]) == ("first", "acme", False)
    assert abs(shown["set_at"] - time.time()) < 60
    assert get().json()["data"] == [shown]
    assert key not in get().text
    put("first", fallback_to_shared=True)
    assert get("/first").json()["fallback_to_shared"]
    assert stack.session.get(url, headers=PLAIN, timeout=20).json()["data"] == []
    gone = checked(stack.session.delete(f"{url}/first", headers=ACME, timeout=20))
    assert gone.json() == {"provider": "first", "object": "provider_key.deleted", "deleted": True}
    assert checked(stack.session.delete(f"{url}/first", headers=ACME, timeout=20)).status_code == 404


@pytest.mark.parametrize(
    ("provider", "body", "status", "param"),
    [
        ("first", {}, 400, "api_key"),
        ("first", {"api_key": "canary with blanks"}, 400, "api_key"),
        ("first", {"api_key": "canary\u00e9\u00e9\u00e9"}, 400, "api_key"),
        ("first", {"api_key": "canary\n\n\n"}, 400, "api_key"),
        ("first", {"api_key": "canary"}, 400, "api_key"),
        ("first", {"api_key": "canary" * 100}, 400, "api_key"),
        ("first", {"api_key": ["canary-canary"]}, 400, "api_key"),
        ("first", {"api_key": "canary-canary", "fallback_to_shared": 1}, 400, "fallback_to_shared"),
        ("first", {"api_key": "canary-canary", "tenant": "plain"}, 400, "tenant"),
        ("nobody", {"api_key": "canary-canary"}, 404, None),
        ("first%20second", {"api_key": "canary-canary"}, 404, None),
    ],
)
def test_what_is_no_key_is_refused_and_not_repeated(stack, provider, body, status, param):
    """A 4xx that names the field, with nothing of what was sent in it."""
    answer = stack.session.put(f"{stack.api.url}{PATH}/{provider}", json=body, headers=ACME, timeout=20)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)
    assert "canary" not in answer.text


@pytest.mark.parametrize("stream", [False, True])
def test_calls_go_out_with_the_tenants_key(stack, put, stream):
    """From the next request on, streamed or not; other tenants' go out with the shared key."""
    key = put("first")
    assert ask(stack, ACME, stream=stream).status_code == 200
    assert ask(stack, PLAIN, stream=stream).status_code == 200
    assert keys_of(stack) == [key, SHARED["first"]]
    assert attempts(ask(stack, ACME)) == [("first", "completed", "tenant")]
    assert attempts(ask(stack, PLAIN)) == [("first", "completed", None)]


def test_a_replaced_key_and_a_removed_one_are_used_no_more(stack, put):
    """The next job goes out with the new one, and without any with the shared one again."""
    old = put("first")
    ask(stack, ACME)
    new = put("first")
    ask(stack, ACME)
    stack.session.delete(f"{stack.api.url}{PATH}/first", headers=ACME, timeout=20)
    ask(stack, ACME)
    assert keys_of(stack) == [old, new, SHARED["first"]]


def test_a_key_in_the_tenants_file(stack):
    """It is named by its variable; where that is not set the shared account is not used instead."""
    assert attempts(ask(stack, FILED)) == [("first", "completed", "tenant")]
    assert keys_of(stack) == [FILED_KEY]
    refused = ask(stack, FILED, model="second/m")
    assert refused.status_code == 400
    assert "no key: NOT_SET is not set" in refused.json()["error"]["message"]
    shown = stack.session.get(f"{stack.api.url}{PATH}/first", headers=FILED, timeout=20).json()
    assert (shown["source"], shown["last4"], shown["set_at"]) == ("file", "0001", None)
    url = f"{stack.api.url}{PATH}/first"
    assert stack.session.put(url, json={"api_key": "another-key"}, headers=FILED, timeout=20).status_code == 409
    assert stack.session.delete(url, headers=FILED, timeout=20).status_code == 409


def test_a_provider_without_a_shared_key_serves_who_brought_one(stack, put):
    """Nobody else can use it, or sees that anybody can."""
    assert ask(stack, ACME, model="bare/m").status_code == 400
    key = put("bare")
    assert attempts(ask(stack, ACME, model="bare/m")) == [("bare", "completed", "tenant")]
    assert keys_of(stack, "bare") == [key]
    other = ask(stack, PLAIN, model="bare/m")
    assert other.status_code == 400
    assert "no key: BARE_KEY is not set" in other.json()["error"]["message"]


def test_a_refused_key_fails_over_and_touches_nobody_else(stack, put):
    """To the next provider, never to the shared account; what all share is as if nothing had happened."""
    key = put("first")
    stack.sandbox.behave_with("first", key, fault="status", status=401)
    answer = ask(stack, ACME, models=["second/m"])
    assert attempts(answer) == [("first", "failed", "tenant"), ("second", "completed", None)]
    assert keys_of(stack) == [key]
    assert stack.redis.client.hget("mr:health", "first/m") is None
    assert stack.redis.client.hget("mr:breakers", "first/m") is None
    alone = ask(stack, ACME)
    assert (alone.status_code, alone.json()["error"]["code"]) == (502, "all_providers_failed")
    assert "canary" not in alone.text
    assert attempts(ask(stack, PLAIN)) == [("first", "completed", None)]
    assert Breaker.parse(stack.redis.client.hget("mr:breakers", "first/m")).failure_count(time.time(), 60.0) == 0


def test_a_refused_key_falls_back_only_where_the_tenant_says_so(stack, put):
    """Then the shared account answers, in the same attempt, which is the shared account's."""
    key = put("first", fallback_to_shared=True)
    stack.sandbox.behave_with("first", key, fault="status", status=403)
    assert attempts(ask(stack, ACME)) == [("first", "completed", None)]
    assert keys_of(stack) == [key, SHARED["first"]]


def test_a_full_key_keeps_back_its_own_tenant_alone(stack, put):
    """Its 429 shuts its own gate, and not that of the account the others share."""
    key = put("first")
    stack.sandbox.behave_with("first", key, fault="status", status=429, retry_after=3600)
    full = ask(stack, ACME, deadline_s=20)
    assert (full.status_code, full.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert stack.redis.client.hkeys("mr:permits") == ["acme@first/m"]
    assert attempts(ask(stack, PLAIN)) == [("first", "completed", None)]
    assert attempts(ask(stack, ACME, models=["second/m"])) == [("second", "completed", None)]
    assert keys_of(stack) == [key, SHARED["first"]]


def test_limits_of_the_shared_account_do_not_keep_back_who_has_a_key(stack, put):
    """Nor do they the other way round."""
    stack.sandbox.behave_with("first", SHARED["first"], fault="status", status=429, retry_after=3600)
    assert ask(stack, PLAIN, deadline_s=20).status_code == 429
    put("first")
    assert attempts(ask(stack, ACME)) == [("first", "completed", "tenant")]


def test_jobs_wait_for_their_own_keys_limit(stack, put):
    """More than the key allows at once: they are parked for it, let through in time, and hardly one is refused."""
    key = put("first")
    stack.sandbox.behave_with("first", key, limits={"requests_per_minute": 60})
    assert ask(stack, ACME).status_code == 200
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda _: ask(stack, ACME), range(60)))
    assert {answer.status_code for answer in answers} == {200}
    assert set(keys_of(stack)) == {key}
    assert stack.sandbox.calls()["refused_429"] <= 5
    assert stack.redis.client.keys("mr:parked*") == []


def test_lines_of_a_batch_go_out_with_the_tenants_key(stack, put):
    """As every other job does."""
    key = put("first")

    def made():
        body = {
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "requests": [{"custom_id": "one", "body": chat(model="first/m")}],
        }
        batch = stack.post(body, path="/v1/batches", headers=ACME).json()

        def ended():
            shown = stack.session.get(f"{stack.api.url}/v1/batches/{batch['id']}", headers=ACME, timeout=20).json()
            return shown if shown["status"] not in ("validating", "in_progress", "finalizing") else None

        assert wait_until(ended, what="the batch's end")["request_counts"]["completed"] == 1
        return key in keys_of(stack)

    # The process that feeds batches learns of a key within a second or two.
    assert wait_until(made, what="a line with the key")


def test_every_process_learns_of_a_key(stack, put):
    """Another API process uses it within seconds."""
    other = stack.another_api()
    try:
        assert stack.post(chat(model="first/m"), headers=ACME, api=other).status_code == 200
        put("first")

        def used():
            answer = stack.post(chat(model="first/m"), headers=ACME, api=other)
            return answer.json()["routing_metadata"]["attempts"][0].get("credential") == "tenant"

        wait_until(used, what="the key's use")
    finally:
        other.teardown()


def test_a_job_whose_key_is_gone_is_not_called_with_another(stack, put):
    """It was accepted for that key: when it is taken away meanwhile, the job goes to its next candidate."""
    put("first")
    stack.workers["first"].stop()
    try:
        body = chat(model="first/m", models=["second/m"], background=True)
        job = stack.post(body, headers=ACME).json()["id"]
        stack.session.delete(f"{stack.api.url}{PATH}/first", headers=ACME, timeout=20)
    finally:
        stack.workers["first"].start()
        stack.workers["first"].ready()

    def ended():
        shown = stack.session.get(f"{stack.api.url}/v1/jobs/{job}", headers=ACME, timeout=20).json()
        return shown if shown["status"] == "completed" else None

    shown = wait_until(ended, what="the end of the job")
    assert [attempt["provider"] for attempt in shown["attempts"]] == ["first", "second"]
    assert "is gone" in shown["attempts"][0]["error"]
    assert keys_of(stack) == []


def test_no_key_is_anywhere(stack, put):
    """Neither in the logs of the processes nor, as it was sent, in what the store keeps."""
    put("first")
    put("second")
    ask(stack, ACME)
    assert all("canary" not in node.logs() for node in (stack.api, *stack.workers.values()))
    # A compressed value would hide what is in it.
    stack.redis.client.config_set("rdbcompression", "no")
    for name in stack.redis.client.scan_iter("*"):
        assert b"canary" not in stack.redis.client.dump(name), name

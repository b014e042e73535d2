"""Tenants and keys made at run time, over two API processes on one Redis."""

import time

import pytest

from tests.support.conformance import Conformance
from tests.support.process_node import wait_until
from tests.support.stack import chat

pytestmark = pytest.mark.integration
# A change is in force everywhere after a poll; what is more is the machine's.
SOON_S = 10
PROVIDERS = {"enabled": ["groq", "google-gemini"]}


@pytest.fixture(scope="module")
def other(running_stack):
    """A second API process."""
    node = running_stack.another_api()
    yield node
    node.teardown()


@pytest.fixture
def conformance(stack):
    """Checks answers against the document that the product itself gives."""
    return Conformance(stack.get("/openapi.json").json())


@pytest.fixture
def make_key(stack):
    """Create keys of the default tenant; those that are left at the end are deleted."""
    made = []

    def make(**fields):
        created = stack.admin("POST", "/keys", {"tenant_id": "default", **fields})
        assert created.status_code == 200, created.text
        made.append(created.json()["id"])
        return created.json()

    yield make
    for key_id in made:
        stack.admin("DELETE", f"/keys/{key_id}")


def asked(stack, secret, *, api=None, model="groq/openai/gpt-oss-20b", path="/v1/models"):
    """What a caller with this secret is answered."""
    headers = {"Authorization": f"Bearer {secret}"}
    if path != "/v1/models":
        return stack.post(chat(model=model), path=path, api=api, headers=headers)
    return stack.session.get(f"{(api or stack.api).url}{path}", headers=headers, timeout=60)


def refused(stack, secret, api):
    """Whether this process does not know the secret, and the words it says so in."""
    answer = asked(stack, secret, api=api)
    return answer.json()["error"]["message"] if answer.status_code == 401 else None


def test_a_key_works_everywhere_at_once(stack, other, make_key, conformance):
    """What one process created, another one takes the next moment; the list shows no secret."""
    made = make_key(name="reports", metadata={"team": "a"}, limits={"daily_requests": 1000, "daily_tokens": None})
    assert len(made["secret"]) == 46
    assert asked(stack, made["secret"], api=other).status_code == 200
    assert asked(stack, made["secret"], path="/v1/chat/completions", api=other).status_code == 200
    listed = stack.admin("GET", "/keys?tenant_id=default&limit=100", api=other)
    conformance.check(listed)
    shown = next(key for key in listed.json()["data"] if key["id"] == made["id"])
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert (shown["prefix"], shown["status"]) == (made["secret"][:8], "active")
    assert shown["limits"] == {"daily_requests": 1000}
    kept = str([stack.redis.client.hgetall(f"mr:access:{name}") for name in ("keys", "digests")])
    assert made["id"] in kept
    assert made["secret"] not in kept + listed.text


def test_the_job_names_the_key_and_usage_follows(stack, make_key):
    """A job made with a key has its id on record."""
    made = make_key()
    job = stack.post(chat(), headers={"Authorization": f"Bearer {made['secret']}"}).json()["routing_metadata"]["job_id"]
    assert stack.redis.client.hget(f"mr:job:{job}", "key") == made["id"]


def test_a_revoked_key_stops_everywhere(stack, other, make_key, conformance):
    """At once where it was revoked, within a second or so elsewhere; who has it is told why."""
    made = make_key()
    for api in (stack.api, other):
        assert asked(stack, made["secret"], api=api).status_code == 200
    revoked = stack.admin("POST", f"/keys/{made['id']}/revoke")
    conformance.check(revoked)
    assert revoked.json()["status"] == "revoked"
    assert "revoked" in refused(stack, made["secret"], stack.api)
    said = wait_until(lambda: refused(stack, made["secret"], other), timeout_s=SOON_S, what="the revocation")
    assert "revoked" in said
    again = stack.admin("POST", f"/keys/{made['id']}/revoke").json()
    assert again["revoked_at"] == revoked.json()["revoked_at"]
    rotated = stack.admin("POST", f"/keys/{made['id']}/rotate")
    assert rotated.status_code == 409
    conformance.check(rotated)


def test_a_deleted_key_is_unknown(stack, other, make_key, conformance):
    """It is as if it had never been."""
    made = make_key()
    assert asked(stack, made["secret"], api=other).status_code == 200
    conformance.check(stack.admin("DELETE", f"/keys/{made['id']}"))
    assert stack.admin("GET", f"/keys/{made['id']}").status_code == 404
    said = wait_until(lambda: refused(stack, made["secret"], other), timeout_s=SOON_S, what="the deletion")
    assert said.startswith("Incorrect API key")
    assert stack.admin("DELETE", f"/keys/{made['id']}").status_code == 404


def test_both_secrets_work_after_a_rotation_with_grace(stack, other, make_key, conformance):
    """The old secret works for its grace, beside the new one; without grace it stops."""
    made = make_key()
    assert asked(stack, made["secret"], api=other).status_code == 200
    rotated = stack.admin("POST", f"/keys/{made['id']}/rotate", {"grace_s": 3600})
    conformance.check(rotated)
    fresh = rotated.json()
    assert (fresh["id"], fresh["secret"] == made["secret"]) == (made["id"], False)
    assert fresh["previous_valid_until"] > time.time() + 3000
    for api in (stack.api, other):
        for secret in (made["secret"], fresh["secret"]):
            assert asked(stack, secret, api=api).status_code == 200
    last = stack.admin("POST", f"/keys/{made['id']}/rotate", {"grace_s": 0}).json()["secret"]
    assert "replaced" in refused(stack, fresh["secret"], stack.api)
    wait_until(lambda: refused(stack, fresh["secret"], other), timeout_s=SOON_S, what="the end of the old secret")
    assert refused(stack, made["secret"], other).startswith("Incorrect")
    for api in (stack.api, other):
        assert asked(stack, last, api=api).status_code == 200


def test_an_expired_key_says_so(stack, make_key):
    """It works until its time, and then whoever has it is told."""
    made = make_key(expires_at=time.time() + 1.5)
    assert asked(stack, made["secret"]).status_code == 200
    said = wait_until(lambda: refused(stack, made["secret"], stack.api), timeout_s=SOON_S, what="the expiry")
    assert "expired" in said
    assert stack.admin("GET", f"/keys/{made['id']}").json()["status"] == "expired"


def test_a_key_narrows_what_its_tenant_may_use(stack, make_key):
    """Models and providers of a key hold on every surface and in the list of models; another model is a 403."""
    made = make_key(models=["fast", "groq/openai/gpt-oss-120b"], providers=["groq"])
    headers = {"Authorization": f"Bearer {made['secret']}"}
    listed = asked(stack, made["secret"]).json()["data"]
    shown = {model["id"]: model.get("deployments") for model in listed}
    assert {name.partition("/")[0] for name in shown.pop("fast")} == {"groq"}
    # Other aliases are there for the deployment that is allowed by its own name, and for no other.
    assert shown.pop("groq/openai/gpt-oss-120b", 0) is None
    assert set(map(tuple, shown.values())) == {("groq/openai/gpt-oss-120b",)}
    answer = stack.post(chat(model="fast"), headers=headers)
    assert answer.json()["routing_metadata"]["primary_provider"] == "groq"
    plan = stack.post(chat(model="fast"), path="/v1/routing/plan", headers=headers).json()
    assert {left["reason"] for left in plan["exclusions"]} >= {"not among the key's providers"}
    prompts = {
        "/v1/chat/completions": chat(),
        "/v1/completions": {"model": "groq/openai/gpt-oss-20b", "prompt": "x"},
        "/v1/messages": {**chat(), "max_tokens": 10},
        "/v1/responses": {"model": "groq/openai/gpt-oss-20b", "input": "x"},
    }
    for path, body in prompts.items():
        answer = stack.post(body, path=path, headers=headers)
        assert answer.status_code == 403, (path, answer.text)
        if path != "/v1/messages":
            error = answer.json()["error"]
            assert (error["code"], error["param"], error["type"]) == (
                "model_not_allowed",
                "model",
                "invalid_request_error",
            )
    elsewhere = stack.post(chat(model="google-gemini/gemini-2.5-flash"), headers=headers)
    assert (elsewhere.status_code, elsewhere.json()["error"]["code"]) == (400, "no_candidates")


def test_a_change_of_a_key_holds_elsewhere(stack, other, make_key, conformance):
    """What is given is changed, the rest stays; null takes a bound away."""
    made = make_key(models=["fast"], name="before")
    assert asked(stack, made["secret"], api=other, path="/v1/chat/completions").status_code == 403
    changed = stack.admin("PATCH", f"/keys/{made['id']}", {"models": None, "limits": {"daily_requests": 5}})
    conformance.check(changed)
    assert changed.json() == {
        **{name: value for name, value in made.items() if name != "secret"},
        "models": None,
        "limits": {"daily_requests": 5},
    }
    wait_until(
        lambda: asked(stack, made["secret"], api=other, path="/v1/chat/completions").status_code == 200,
        timeout_s=SOON_S,
        what="the change",
    )


def test_a_tenant_lives_and_dies(stack, other, conformance):
    """Created, used with a key of its own, suspended, taken up again, and deleted with its keys."""
    created = stack.admin("POST", "/tenants", {"tenant_id": "acme", "name": "Acme", "providers": PROVIDERS})
    assert created.status_code == 200, created.text
    conformance.check(created)
    assert (created.json()["source"], created.json()["status"]) == ("runtime", "active")
    secret = stack.admin("POST", "/keys", {"tenant_id": "acme"}, api=other).json()["secret"]
    answer = asked(stack, secret, path="/v1/chat/completions", api=other)
    assert answer.json()["routing_metadata"]["tenant_id"] == "acme"
    assert stack.admin("POST", "/tenants", {"tenant_id": "acme", "providers": PROVIDERS}, api=other).status_code == 409
    suspended = stack.admin("PATCH", "/tenants/acme", {"status": "suspended"})
    conformance.check(suspended)
    assert (suspended.json()["status"], suspended.json()["name"]) == ("suspended", "Acme")
    wait_until(lambda: refused(stack, secret, other), timeout_s=SOON_S, what="the suspension")
    stack.admin("PATCH", "/tenants/acme", {"status": "active"})
    wait_until(lambda: asked(stack, secret, api=other).status_code == 200, timeout_s=SOON_S, what="the return")
    for query, names in (("limit=100", True), ("limit=1", False)):
        listed = stack.admin("GET", f"/tenants?{query}")
        conformance.check(listed)
        assert ("acme" in [tenant["id"] for tenant in listed.json()["data"]]) is names or listed.json()["has_more"]
    conformance.check(stack.admin("DELETE", "/tenants/acme"))
    wait_until(lambda: refused(stack, secret, other), timeout_s=SOON_S, what="the end of the tenant's key")
    assert stack.admin("GET", "/keys?tenant_id=acme").json()["data"] == []
    assert stack.admin("DELETE", "/tenants/acme").status_code == 404


def test_what_stands_in_files_is_shown_and_not_changed(stack, conformance):
    """Tenants and keys of files are in the lists, and a change says where they are written."""
    shown = stack.admin("GET", "/tenants/default")
    conformance.check(shown)
    assert shown.json()["source"] == "file"
    assert "ak-demo" not in shown.text
    keys = stack.admin("GET", "/keys?tenant_id=default&limit=100").json()["data"]
    key = next(key for key in keys if key["source"] == "file")
    assert (key["prefix"], key["created_at"]) == ("ak-demo1", None)
    conformance.check(stack.admin("GET", f"/keys/{key['id']}"))
    for method, path, body in (
        ("PATCH", "/tenants/default", {"status": "inactive"}),
        ("DELETE", "/tenants/default", None),
        ("POST", "/tenants", {"tenant_id": "default", "providers": PROVIDERS}),
        ("PATCH", f"/keys/{key['id']}", {"name": "x"}),
        ("DELETE", f"/keys/{key['id']}", None),
        ("POST", f"/keys/{key['id']}/rotate", None),
        ("POST", f"/keys/{key['id']}/revoke", None),
    ):
        answer = stack.admin(method, path, body)
        assert answer.status_code == 409, answer.text
        assert "tenants" in answer.json()["error"]["message"]
        conformance.check(answer)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "tenant_id"),
        ({"tenant_id": "nobody"}, "tenant_id"),
        ({"tenant_id": ["default"]}, "tenant_id"),
        ({"tenant_id": "default", "nmae": "x"}, "nmae"),
        ({"tenant_id": "default", "expires_at": 1}, "expires_at"),
        ({"tenant_id": "default", "expires_at": "soon"}, "expires_at"),
        ({"tenant_id": "default", "limits": {"daily_requests": -1}}, "limits.daily_requests"),
        ({"tenant_id": "default", "limits": {"daly": 1}}, "limits.daly"),
        ({"tenant_id": "default", "models": []}, "models"),
        ({"tenant_id": "default", "models": ["fast", "nothing"]}, "models[1]"),
        ({"tenant_id": "default", "providers": ["grok"]}, "providers[0]"),
        ({"tenant_id": "default", "metadata": {"a": 1}}, "metadata"),
        ({"tenant_id": "default", "metadata": {str(number): "" for number in range(17)}}, "metadata"),
        ({"tenant_id": "default", "name": "a\nb"}, "name"),
    ],
)
def test_a_bad_key_is_refused_by_its_field(stack, conformance, body, param):
    """400 in OpenAI's form, and nothing is made."""
    answer = stack.admin("POST", "/keys", body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text
    conformance.check(answer)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"tenant_id": "acme"}, "providers"),
        ({"tenant_id": "a b", "providers": PROVIDERS}, "tenant_id"),
        ({"tenant_id": "acme", "providers": {"enabled": ["grok"]}}, "providers.enabled"),
        ({"tenant_id": "acme", "providers": PROVIDERS, "routing_policy": "none"}, "routing_policy"),
        ({"tenant_id": "acme", "providers": PROVIDERS, "api_keys": ["x"]}, "api_keys"),
        ({"tenant_id": "acme", "providers": PROVIDERS, "quotas": 5}, "quotas"),
    ],
)
def test_a_bad_tenant_is_refused_by_its_field(stack, conformance, body, param):
    """400 in OpenAI's form, and nothing is made."""
    answer = stack.admin("POST", "/tenants", body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text
    conformance.check(answer)
    assert stack.admin("GET", "/tenants/acme").status_code == 404


def test_pages_of_keys_follow_each_other(stack, make_key):
    """`after` goes on where the page before ended; what is no entry is a 400."""
    made = {make_key()["id"] for _ in range(3)}
    found, after = [], ""
    while True:
        page = stack.admin("GET", f"/keys?limit=2{after}").json()
        found += [key["id"] for key in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    assert len(found) == len(set(found))
    assert made <= set(found)
    for query in ("after=key_none", "limit=0"):
        assert stack.admin("GET", f"/keys?{query}").status_code == 400


def test_only_the_admin_key_opens_the_admin_api(stack, make_key):
    """No key: 401; any other, a tenant's too: 403; a key's own limits do not matter here."""
    secret = make_key()["secret"]
    for headers, status, code in (
        ({"Authorization": ""}, 401, "invalid_api_key"),
        ({"Authorization": f"Bearer {secret}"}, 403, "admin_key_required"),
        ({"Authorization": "Bearer nobody"}, 403, "admin_key_required"),
    ):
        for path in ("/keys", "/tenants", "/tenants/default"):
            answer = stack.admin("GET", path, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_made_up_keys_are_nobodys(stack):
    """A secret of the right form, and of any other, that nobody was given."""
    for secret in (f"mr-{'A' * 43}", "mr-short", "key", "mr-" + "B" * 400):
        assert refused(stack, secret, stack.api).startswith("Incorrect API key")

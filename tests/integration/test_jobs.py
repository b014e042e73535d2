"""A tenant's jobs: listed, paged and filtered; those that got no answer run again."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.conformance import Conformance
from tests.support.stack import chat, ended_object

pytestmark = pytest.mark.integration
RIVAL = {"Authorization": "Bearer ak-rival"}
GROQ, OTHER = "groq/openai/gpt-oss-20b", "hugging-face/openai/gpt-oss-20b"
MESSAGES = {"model": GROQ, "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}
SURFACES = {
    "/v1/chat/completions": (chat(), "chat.completion"),
    "/v1/completions": ({"model": GROQ, "prompt": "Hello"}, "text_completion"),
    "/v1/messages": (MESSAGES, "message"),
    "/v1/responses": ({"model": GROQ, "input": "Hello"}, "response"),
    "/v1/embeddings": ({"model": "gemini-embedding-001", "input": ["one"]}, "list"),
}


@pytest.fixture
def since(stack):
    """A moment after which only this test's jobs were accepted."""
    time.sleep(0.002)
    seconds, microseconds = stack.redis.client.time()
    return seconds + microseconds / 1e6


@pytest.fixture
def conformance(stack):
    return Conformance(stack.get("/openapi.json").json())


def listed(stack, since, **query):
    """The jobs of this test, page after page."""
    jobs, query = [], {"created_after": since, **query}
    while True:
        page = stack.get("/v1/jobs", params=query)
        assert page.status_code == 200, page.text
        page = page.json()
        jobs += page["data"]
        if not page["has_more"]:
            return jobs
        query["after"] = page["last_id"]


def failed_job(stack, path="/v1/chat/completions", body=None, **fields):
    """The id of a job that every provider failed."""
    stack.sandbox.behave("*", fault="status", status=400)
    response = stack.post({**(body or chat()), **fields}, path=path)
    assert response.status_code == 400, response.text
    stack.sandbox.reset()
    return response.headers["X-Job-Id"]


def replay(stack, job_id, body=None, **headers):
    return stack.post(
        body, path=f"/v1/jobs/{job_id}/replay", headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def test_jobs_are_listed_newest_first_and_to_their_tenant_alone(stack, since, conformance):
    """Without plan and response; another tenant's list does not have them."""
    ids = [stack.post(chat(text)).headers["X-Job-Id"] for text in ("one", "two", "three")]
    theirs = stack.post(chat(), headers=RIVAL).headers["X-Job-Id"]
    response = stack.get("/v1/jobs", params={"created_after": since})
    conformance.check(response)
    page = response.json()
    assert [job["id"] for job in page["data"]] == ids[::-1]
    assert (page["object"], page["first_id"], page["last_id"], page["has_more"]) == ("list", ids[2], ids[0], False)
    whole = stack.get(f"/v1/jobs/{ids[0]}").json()
    assert page["data"][2] == {name: value for name, value in whole.items() if name not in ("plan", "response")}
    rivals = stack.get("/v1/jobs", params={"created_after": since}, headers=RIVAL).json()
    assert [job["id"] for job in rivals["data"]] == [theirs]
    assert stack.get("/v1/jobs", params={"after": theirs}).status_code == 400


def test_walks_meet_each_job_once_while_others_are_accepted(stack, since):
    """Pages neither skip nor repeat what was there at the beginning, in both directions."""
    before = [stack.post(chat(background=True)).json()["id"] for _ in range(20)]

    def add():
        return [stack.post(chat(background=True)).json()["id"] for _ in range(20)]

    with ThreadPoolExecutor(4) as pool:
        adding = [pool.submit(add) for _ in range(2)]
        walks = [pool.submit(listed, stack, since, limit=3, order=order) for order in ("desc", "asc")]
        down, up = ([job["id"] for job in walk.result()] for walk in walks)
        added = {name for names in adding for name in names.result()}
    for met in (down, up[::-1]):
        assert len(met) == len(set(met))
        assert [name for name in met if name in before] == before[::-1]
        assert set(met) <= added | set(before)
    assert {job["id"] for job in listed(stack, since, limit=100)} == added | set(before)


def test_failures_are_found_by_what_is_known_of_them(stack, since):
    """Status, model, provider and time each narrow a list."""
    answered = stack.post(chat()).headers["X-Job-Id"]
    failed = failed_job(stack)
    elsewhere = failed_job(stack, model=OTHER)

    def ids(**query):
        return [job["id"] for job in listed(stack, since, **query)]

    assert ids(status="failed") == [elsewhere, failed]
    assert ids(status="failed,completed") == [elsewhere, failed, answered]
    assert ids(status="failed", model=OTHER) == [elsewhere]
    assert ids(provider="hugging-face") == [elsewhere]
    assert ids(status="expired") == []
    [entry] = listed(stack, since, status="failed", model=GROQ)
    assert (entry["error"]["code"], entry["attempts"][0]["status"]) == ("provider_refused", "failed")
    assert ids(created_before=entry["created_at"]) == [answered]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("status=lost", "status"),
        ("status=", "status"),
        ("status=failed,", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("order=up", "order"),
        ("after=", "after"),
        ("after=job_x", "after"),
        (f"after=job_{'0' * 32}", "after"),
        ("created_after=yesterday", "created_after"),
        ("created_before=nan", "created_before"),
        ("created_before=-1", "created_before"),
        ("model=", "model"),
        (f"provider={'x' * 300}", "provider"),
    ],
)
def test_a_bad_query_is_refused_by_its_name(stack, conformance, query, param):
    """400 in OpenAI's form that says which parameter."""
    response = stack.get(f"/v1/jobs?{query}")
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    conformance.check(response)


@pytest.mark.parametrize("path", SURFACES)
def test_a_failed_job_is_run_again_on_every_surface(stack, conformance, path):
    """The new job asks the same in the same form, and the two name each other."""
    body, form = SURFACES[path]
    old = failed_job(stack, path, body)
    response = replay(stack, old)
    assert response.status_code == 202, response.text
    conformance.check(response)
    job = response.json()
    assert response.headers["Location"] == f"/v1/jobs/{job['id']}"
    ended = ended_object(stack, job["id"])
    assert (ended["status"], ended["replay_of"], ended["response"]["object" if form != "message" else "type"]) == (
        "completed",
        old,
        form,
    )
    assert stack.get(f"/v1/jobs/{old}").json()["replayed_as"] == job["id"]


def test_a_replay_may_be_waited_for(stack, conformance):
    """`Prefer: wait` gets the first request's own answer, here a Message, or an error in OpenAI's form."""
    old = failed_job(stack, "/v1/messages", MESSAGES, stream=False)
    answered = replay(stack, old, Prefer="wait=20")
    conformance.check(answered)
    assert (answered.status_code, answered.json()["type"]) == (200, "message")
    assert answered.json()["id"] == f"msg_{answered.headers['X-Job-Id'].removeprefix('job_')}"
    stack.sandbox.behave("*", fault="status", status=400)
    refused = replay(stack, old, Prefer="wait=20")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "provider_refused")
    stack.sandbox.behave("*", latency_ms=3000)
    late = replay(stack, old, Prefer="wait=0.2")
    assert (late.status_code, late.json()["error"]["code"]) == (504, "wait_ended")


def test_a_replay_of_a_stream_is_a_stream(stack):
    """What was asked for as events can be followed as events."""
    stack.sandbox.behave("*", fault="status", status=400)
    old = stack.post(chat(stream=True)).headers["X-Job-Id"]
    stack.sandbox.reset()
    new = replay(stack, old).json()["id"]
    assert "data: [DONE]" in stack.get(f"/v1/jobs/{new}/stream").text
    assert replay(stack, old, Prefer="wait=20").json()["object"] == "chat.completion"


def test_a_replay_may_go_elsewhere(stack):
    """Model, wishes, policy and deadline replace the first ones; the question stays."""
    old = failed_job(stack, deadline_s=50, provider={"only": ["groq"]})
    changes = {
        "model": "gpt-3.5-turbo",
        "provider": {"only": ["hugging-face"]},
        "routing_policy": "cost-optimized",
        "deadline_s": 20,
        "models": None,
    }
    job = ended_object(stack, replay(stack, old, changes).json()["id"])
    assert (job["model"], job["provider"], job["plan"]["policy"]) == ("gpt-3.5-turbo", "hugging-face", "cost-optimized")
    assert job["deadline_at"] - job["created_at"] == pytest.approx(20)
    assert "Say hello." in json.dumps(stack.sandbox.bodies()[-1]["body"])


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"messages": []}, 400, "messages"),
        ({"model": 5}, 400, "model"),
        ({"provider": {"sort": "x"}}, 400, "provider.sort"),
        ({"deadline_s": 0}, 400, "deadline_s"),
        ({"routing_policy": "none-such"}, 400, "routing_policy"),
        ([], 400, None),
        ({"model": "none-such"}, 404, "model"),
    ],
)
def test_a_bad_replay_names_the_field(stack, conformance, body, status, param):
    """Nothing is accepted, and the job can be replayed still."""
    old = failed_job(stack)
    before = stack.job_count()
    response = replay(stack, old, body)
    assert (response.status_code, response.json()["error"]["param"]) == (status, param), response.text
    conformance.check(response)
    assert stack.job_count() == before


def test_only_what_got_no_answer_is_replayed(stack, conformance):
    """409 for a job that is answered, runs, or whose request is gone; 404 for another tenant's; a cancelled one may."""
    answered = stack.post(chat()).headers["X-Job-Id"]
    failed, forgetful = failed_job(stack), failed_job(stack)
    stack.sandbox.behave("*", latency_ms=5000)
    running = stack.post(chat(background=True)).json()["id"]
    stack.redis.client.hdel(f"mr:job:{forgetful}", "request")
    for name in (answered, running, forgetful):
        refused = replay(stack, name)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "job_not_replayable")
        conformance.check(refused)
    assert replay(stack, failed, Authorization="Bearer ak-rival").status_code == 404
    assert replay(stack, "job_x").status_code == 404
    stack.post(path=f"/v1/jobs/{running}/cancel")
    stack.sandbox.reset()
    assert replay(stack, running, Prefer="wait=20").status_code == 200


def test_an_idempotency_key_makes_one_replay(stack):
    """The same replay again is the same job; the key is no other replay's, nor the first request's."""
    stack.sandbox.behave("*", fault="status", status=400)
    old = stack.post(chat("Once."), headers={"Idempotency-Key": "k-first"}).headers["X-Job-Id"]
    stack.sandbox.reset()
    first, again = (replay(stack, old, Idempotency_Key="k-again") for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    ended_object(stack, first.json()["id"])
    waited = replay(stack, old, Idempotency_Key="k-again", Prefer="wait=20")
    assert (waited.headers["X-Job-Id"], waited.headers["Idempotent-Replayed"]) == (first.json()["id"], "true")
    assert replay(stack, failed_job(stack), Idempotency_Key="k-again").status_code == 409
    assert replay(stack, old, {"model": OTHER}, Idempotency_Key="k-again").status_code == 409
    assert replay(stack, old, Idempotency_Key="k-first").status_code == 409

"""An account with two keys, in files: one that is refused or full costs nobody an attempt. Real processes."""

import itertools
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from routing.breaker import Breaker
from tests.support.process_node import wait_until
from tests.support.stack import Stack, chat, copy_configuration

pytestmark = pytest.mark.integration
NUMBERS = itertools.count()
VARIABLES = ("OWN_KEY", "OWN_KEY_2")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One real account, `own`, whose keys stand in files."""
    folder = tmp_path_factory.mktemp("keys") / "config"
    copy_configuration(folder)
    files = [folder.parent / variable for variable in VARIABLES]
    for file in files:
        file.write_text("unused")
    stack_files = {f"{variable}_FILE": str(file) for variable, file in zip(VARIABLES, files, strict=True)}
    (folder / "models.json").write_text("{}")
    shutil.rmtree(folder / "tenants")
    (folder / "tenants").mkdir()
    tenant = {"tenant_id": "default", "api_keys": ["ak-demo123"], "providers": {"enabled": ["own"]}}
    (folder / "tenants" / "default.json").write_text(json.dumps(tenant))
    row = {"type": "openai", "endpoint": "http://127.0.0.1:9/v1", "api_key_env": "OWN_KEY", "api_key_envs": VARIABLES}
    (folder / "providers.json").write_text(json.dumps({"own": row}))
    environment = {
        "MODEL_ROUTER_CONFIG": str(folder),
        "MODEL_ROUTER_CONFIG_POLL_S": "0.1",
        "LOG_LEVEL": "debug",
        **stack_files,
    }
    stack = Stack(("own",), environment=environment)
    (folder / "providers.json").write_text(json.dumps({"own": {**row, "endpoint": f"{stack.sandbox.url}/own/v1"}}))
    yield stack
    stack.stop()


@pytest.fixture
def stack(running):
    """The stack with a sandbox that behaves, and limits nobody knows."""
    running.sandbox.reset()
    running.redis.client.delete("mr:permits", "mr:breakers", "mr:health")
    return running


@pytest.fixture
def keys(stack):
    """Two keys that nobody has refused yet, put into the files; the worker has them without a restart."""
    fresh = [f"canary-{next(NUMBERS)}-{variable}" for variable in VARIABLES]
    for variable, key in zip(VARIABLES, fresh, strict=True):
        with open(stack.environment[f"{variable}_FILE"], "w") as file:  # noqa: PTH123 - in place, as editors do it
            file.write(f"{key}\n")

    def used():
        stack.post(ask("which key?", model="own/warm"))
        return set(fresh) <= {call["key"] for call in stack.sandbox.calls(log=True)["log"]}

    wait_until(used, what="the new keys")
    stack.sandbox.reset()
    return fresh


def ask(text="hello", model="own/m", **fields):
    return chat(text, model=model, **fields)


def calls_by_key(stack, model="m"):
    log = [call for call in stack.sandbox.calls(log=True)["log"] if call["model"] == model]
    return {key: [call["status"] for call in log if call["key"] == key] for key in {call["key"] for call in log}}


def metadata(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["routing_metadata"]


def test_keys_are_used_in_turn(stack, keys):
    """Each has its half of the calls."""
    for _ in range(10):
        metadata(stack.post(ask()))
    assert calls_by_key(stack) == {keys[0]: [200] * 5, keys[1]: [200] * 5}


@pytest.mark.parametrize("stream", [False, True])
def test_a_refused_key_rests_and_costs_no_attempt(stack, keys, stream):
    """The other answers in the same attempt, streamed or not; the refused one is asked once and named in the log."""
    stack.sandbox.behave_with("own", keys[0], fault="status", status=401)
    for _ in range(6):
        answer = stack.post(ask(stream=stream))
        assert answer.status_code == 200
        if not stream:
            assert [attempt["status"] for attempt in metadata(answer)["attempts"]] == ["completed"]
    assert calls_by_key(stack) == {keys[0]: [401], keys[1]: [200] * 6}
    breaker = Breaker.parse(stack.redis.client.hget("mr:breakers", "own/m"))
    assert breaker.failure_count(time.time(), 60.0) == 0
    logs = stack.workers["own"].logs()
    assert "provider.key_rests" in logs
    assert "OWN_KEY" in logs


@pytest.mark.usefixtures("keys")
def test_a_stream_that_breaks_off_is_not_begun_again_with_another_key(stack):
    """Not even where its error names the key: the caller has a part of the answer."""
    stack.sandbox.behave("own", fault="error", status=401, text="moon two three four five six seven eight nine ten")
    answer = stack.post(ask(stream=True))
    assert answer.text.count("moon") == 1
    assert '"error"' in answer.text
    assert len(calls_by_key(stack)) == 1


def test_a_full_key_rests_until_its_time(stack, keys):
    """The other goes on meanwhile, and the job waits for nothing."""
    stack.sandbox.behave_with("own", keys[1], fault="status", status=429, retry_after=3600)
    for _ in range(6):
        assert len(metadata(stack.post(ask(deadline_s=20)))["attempts"]) == 1
    assert calls_by_key(stack) == {keys[0]: [200] * 6, keys[1]: [429]}
    assert stack.redis.client.hget("mr:permits", "own/m") is None


def test_only_when_all_are_full_the_caller_is_told(stack, keys):
    """A limit of every key beyond the deadline is the 429 it was with one key, and shuts the gate for all workers."""
    stack.sandbox.behave("own", fault="status", status=429, retry_after=3600)
    answer = stack.post(ask(deadline_s=20))
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert calls_by_key(stack) == {key: [429] for key in keys}
    assert stack.redis.client.hget("mr:permits", "own/m") is not None


@pytest.mark.usefixtures("keys")
def test_only_when_all_are_refused_the_caller_is_told(stack):
    """The provider's 401 is ours to mend, and no key is in what is said; once they are mended calls go through."""
    stack.sandbox.behave("own", fault="status", status=401)
    answer = stack.post(ask())
    assert answer.status_code == 502
    assert "provider_misconfigured" in answer.json()["routing_metadata"]["attempts"][0]["error"]
    assert "canary" not in answer.text
    stack.sandbox.behave("own")
    assert len(metadata(stack.post(ask()))["attempts"]) == 1


@pytest.mark.alone("counts what limits in real time let through")
@pytest.mark.usefixtures("keys")
def test_two_keys_serve_twice_as_much(stack):
    """60 a minute each: 110 calls are answered within a time in which one key would serve 78, hardly one refused."""
    stack.sandbox.behave("own", limits={"requests_per_minute": 60})
    for _ in range(4):
        metadata(stack.post(ask("teach")))
    told = stack.redis.client.hget("mr:permits", "own/m").split()
    assert told[2:4] == ["rpm", "120"]
    with ThreadPoolExecutor(110) as pool:
        answers = list(pool.map(lambda number: stack.post(ask(f"job {number}", deadline_s=20)), range(110)))
    assert {answer.status_code for answer in answers} == {200}
    assert all(statuses.count(200) >= 50 for statuses in calls_by_key(stack).values())
    assert stack.sandbox.calls()["refused_429"] <= 5


@pytest.mark.usefixtures("keys")
def test_no_key_is_anywhere(stack):
    """Neither in the logs of the processes nor in what the store keeps."""
    metadata(stack.post(ask()))
    assert all("canary" not in node.logs() for node in (stack.api, *stack.workers.values()))
    client = stack.redis.client
    # A compressed value would hide what is in it.
    client.config_set("rdbcompression", "no")
    for name in client.scan_iter("*"):
        kept = client.dump(name)
        assert b"canary" not in kept, name

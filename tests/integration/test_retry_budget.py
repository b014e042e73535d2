"""A provider that is dead gets few calls beyond the first tries, and nobody is left without an answer for it."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from config.retry import RetryConfig
from tests.support.stack import Stack, chat, copy_configuration

pytestmark = pytest.mark.integration
GROQ, OTHER = "groq/openai/gpt-oss-20b", "hugging-face/openai/gpt-oss-20b"
REQUESTS = 200


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Two providers with the shipped budget, and breakers that stay closed: they would hide what it does."""
    folder = tmp_path_factory.mktemp("budget") / "config"
    copy_configuration(folder)
    (folder / "policies" / "breaker.json").write_text(
        json.dumps({"minimum_number_of_calls": 1_000_000, "consecutive_failures_threshold": 1_000_000})
    )
    stack = Stack(("groq", "hugging-face"), environment={"MODEL_ROUTER_CONFIG": str(folder)})
    yield stack
    stack.stop()


@pytest.fixture
def stack(running):
    """The running product with a sandbox that behaves."""
    running.sandbox.reset()
    return running


def calls(stack):
    """How many calls groq got."""
    return stack.sandbox.calls()["by_provider"]["groq"]["total"]


def asked(stack, bodies):
    """The answers to `bodies`, sent by twenty clients."""
    with ThreadPoolExecutor(20) as clients:
        return list(clients.map(stack.post, bodies))


def test_a_dead_provider_is_not_hammered(stack):
    """Of many requests that try it first few try it twice, and the next candidate answers them all."""
    stack.sandbox.behave("groq", fault="status", status=500)
    began = time.monotonic()
    answers = asked(stack, [chat(f"Who? {n}", model=GROQ, models=[OTHER]) for n in range(REQUESTS)])
    budget = RetryConfig()
    windows = int((time.monotonic() - began) // budget.budget_window_s) + 1
    assert [answer.status_code for answer in answers] == [200] * REQUESTS
    tried = {answer.json()["routing_metadata"]["attempts"][0]["provider"] for answer in answers}
    assert tried == {"groq"}, "each began there"
    most = REQUESTS * (1 + budget.budget_percent / 100) + budget.budget_reserve * windows
    assert REQUESTS < calls(stack) <= most


def test_with_nobody_else_a_retry_waits_for_its_turn(stack):
    """Without budget and candidates a job is put off, not failed, and its next try is made all the same."""
    once = {"fault": "status", "status": 500, "times": 1}
    answers = asked(stack, [chat(f"Patience {n}", model=GROQ, sandbox=once) for n in range(20)])
    assert [answer.status_code for answer in answers] == [200] * 20
    assert calls(stack) == 40
    assert "retry budget is spent" in stack.workers["groq"].logs()


def test_putting_off_does_not_renew_the_tries(stack):
    """A job whose only provider stays dead ends after its tries, though there was no budget for them."""
    stack.sandbox.behave("groq", fault="status", status=500)
    answers = asked(stack, [chat(f"Anyone? {n}", model=GROQ) for n in range(20)])
    assert {answer.status_code for answer in answers} == {502}
    assert {len(answer.json()["routing_metadata"]["attempts"]) for answer in answers} == {2}

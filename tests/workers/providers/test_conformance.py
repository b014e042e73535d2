"""One suite over every dialect: each claim is made good over real HTTP against the sandbox's own wire formats."""

import json

import pytest
import requests
from openai.types.chat import ChatCompletion

from routing.errors import (
    MalformedAnswer,
    NotExpressible,
    ProviderFailed,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRefused,
)
from routing.request_fields import ROUTER_FIELDS
from tests.support.dialects import CASES, TIME, WEATHER, user
from tests.support.sandbox_process import SandboxProcess
from workers.providers.base import Account, Reply
from workers.providers.registry import DIALECTS, adapter

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["name", "tags"],
    "additionalProperties": False,
}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


@pytest.fixture(scope="module")
def sandbox():
    """The sandbox in a process of its own."""
    process = SandboxProcess()
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def session():
    """One HTTP client; a worker's job in the product."""
    with requests.Session() as client:
        yield client


class Caller:
    """Sends what a dialect builds, and hands it what came. Each completion must be one to OpenAI's own types."""

    def __init__(self, case, url, session, key="sk-test"):
        self.case = case
        self.provider = adapter(Account(case.name, url + case.path, key), case.dialect)
        self._session = session

    def __call__(self, model=None, **request):
        completion = self.provider.completion(model or self.case.model, self.reply(model, request))
        ChatCompletion.model_validate(completion.body)
        return completion

    def reply(self, model, request):
        call = self.provider.call(model or self.case.model, request)
        answer = self._session.post(call.url, data=call.body, headers=call.headers, timeout=20)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert headers.get("x-sandbox")
        return Reply(answer.status_code, headers, answer.content)


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def ask(request, sandbox, session):
    """A call to one provider after the other."""
    return Caller(request.param, sandbox.url, session)


def only_choice(completion):
    (choice,) = completion.body["choices"]
    return choice


def test_every_dialect_is_here():
    """No dialect is left out of the suite."""
    assert {case.dialect for case in CASES} == set(DIALECTS)


def test_chat(ask):
    """A text is answered in OpenAI's form, with its usage."""
    completion = ask(messages=[user("hello there")])
    body, choice = completion.body, only_choice(completion)
    assert body["object"] == "chat.completion"
    assert body["id"]
    assert body["created"] > 1_700_000_000
    assert body["model"] == ask.case.model
    assert choice["message"]["role"] == "assistant"
    assert "You said: hello there" in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    usage = completion.usage
    assert usage.prompt_tokens > 0
    assert usage.completion_tokens > 0
    assert body["usage"]["total_tokens"] == usage.prompt_tokens + usage.completion_tokens


def test_conversation(ask):
    """Several system messages, successive turns of one role, empty and null contents are all accepted."""
    completion = ask(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            user("one"),
            {"role": "user", "content": [{"type": "text", "text": "two"}], "name": "Ann"},
            {"role": "assistant", "content": "three", "refusal": None},
            {"role": "assistant", "content": "four"},
            user("five"),
        ]
    )
    assert "five" in only_choice(completion)["message"]["content"]


def test_every_field(ask):
    """Every common field together is accepted: what the vendor would refuse was left out or translated."""
    completion = ask(
        messages=[user("hi")],
        temperature=0.5,
        top_p=0.9,
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.1,
        logit_bias={"50256": -100},
        max_completion_tokens=4000,
        n=1,
        stop=["never"],
        user="user-1",
        reasoning_effort="low",
        response_format={"type": "text"},
        verbosity="low",
        prompt_cache_key="k",
        safety_identifier="s",
        parallel_tool_calls=False,
    )
    assert only_choice(completion)["finish_reason"] == "stop"


def test_router_fields(ask):
    """The router's own fields are not sent: a strict vendor would refuse them."""
    body = json.loads(
        ask.provider.call(ask.case.model, {"messages": [user("hi")], **dict.fromkeys(ROUTER_FIELDS, 1)}).body
    )
    assert not ROUTER_FIELDS & body.keys()


def test_length(ask):
    """An answer cut off by its length says so."""
    choice = only_choice(ask(messages=[user("word " * 100)], max_tokens=3))
    assert choice["finish_reason"] == "length"


def test_stop(ask):
    """An answer ends before a stop sequence."""
    choice = only_choice(ask(messages=[user("alpha STOPHERE omega")], stop="STOPHERE"))
    assert "alpha" in choice["message"]["content"]
    assert "omega" not in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("choice", "name"),
    [("required", "get_weather"), ({"type": "function", "function": {"name": "get_time"}}, "get_time")],
    ids=["required", "named"],
)
def test_demanded_tool(ask, choice, name):
    """A demanded tool is called, with arguments as JSON text."""
    answer = only_choice(ask(messages=[user("go")], tools=[WEATHER, TIME], tool_choice=choice))
    assert answer["finish_reason"] == "tool_calls"
    call = answer["message"]["tool_calls"][0]
    assert (call["type"], call["function"]["name"]) == ("function", name)
    arguments = json.loads(call["function"]["arguments"])
    if name == "get_weather":
        assert isinstance(arguments["city"], str)
        assert arguments["days"] >= 1


def test_tool_choice_auto_and_none(ask):
    """On auto the model chooses; on none it calls nothing; named tools together make parallel calls."""
    asked = {"messages": [user("use get_weather and get_time")], "tools": [WEATHER, TIME]}
    calls = only_choice(ask(**asked, tool_choice="auto"))["message"]["tool_calls"]
    assert sorted(call["function"]["name"] for call in calls) == ["get_time", "get_weather"]
    assert len({call["id"] for call in calls}) == 2
    silent = only_choice(ask(**asked, tool_choice="none"))
    assert silent["finish_reason"] == "stop"
    assert not silent["message"].get("tool_calls")


def test_one_call_at_a_time(ask):
    """`parallel_tool_calls: false` gives one call, or is not expressible."""
    asked = {"messages": [user("use get_weather and get_time")], "tools": [WEATHER, TIME], "parallel_tool_calls": False}
    try:
        choice = only_choice(ask(**asked))
    except NotExpressible as error:
        assert (ask.case.dialect, error.param) == ("google-gemini", "parallel_tool_calls")  # noqa: PT017 - one outcome
    else:
        assert len(choice["message"]["tool_calls"]) == 1


@pytest.mark.parametrize("first", CASES, ids=lambda case: f"from-{case.name}")
def test_tool_loop(ask, first, sandbox, session):
    """A tool call that any dialect answered goes back through any other, with its result."""
    question = user("use get_weather and get_time")
    made = only_choice(Caller(first, sandbox.url, session)(messages=[question], tools=[WEATHER, TIME]))["message"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": f"result of {call['function']['name']}"}
        for call in made["tool_calls"]
    ]
    choice = only_choice(ask(messages=[question, made, *results], tools=[WEATHER, TIME], reasoning_effort="low"))
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"]


def test_json_mode(ask):
    """JSON mode answers with a JSON object as text."""
    choice = only_choice(ask(messages=[user("answer in JSON")], response_format={"type": "json_object"}))
    assert isinstance(json.loads(choice["message"]["content"]), dict)
    assert choice["finish_reason"] == "stop"


def test_json_schema(ask):
    """A JSON schema is kept."""
    wanted = {"type": "json_schema", "json_schema": {"name": "card", "strict": True, "schema": SCHEMA}}
    card = json.loads(only_choice(ask(messages=[user("a card")], response_format=wanted))["message"]["content"])
    assert isinstance(card["name"], str)
    assert isinstance(card["tags"], list)
    assert card.keys() == {"name", "tags"}


@pytest.mark.parametrize("url", ["https://example.com/cat.png", PIXEL], ids=["url", "data"])
def test_image(ask, url):
    """A picture arrives, by URL and within the request."""
    content = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": url, "detail": "low"}}]
    assert "1 image" in only_choice(ask(messages=[{"role": "user", "content": content}]))["message"]["content"]


def test_unknown_fields_pass(ask):
    """A field nobody knows reaches the provider."""
    assert only_choice(ask(messages=[user("hi")], sandbox={"text": "as told"}))["message"]["content"] == "as told"


def test_parts_of_usage(ask):
    """Cached and reasoning tokens are counted, within prompt and completion."""
    wanted = {"cached_tokens": 2, "reasoning_tokens": 9}
    completion = ask(messages=[user("a prompt of some length " * 5)], sandbox=wanted)
    usage = completion.usage
    assert (usage.cached_tokens, usage.reasoning_tokens) == (2, 9)
    assert usage.completion_tokens > 9
    assert usage.prompt_tokens > 2
    assert completion.body["usage"]["completion_tokens_details"]["reasoning_tokens"] == 9


def test_two_answers(ask):
    """Two answers are two answers, or not expressible: never silently one."""
    asked = {"messages": [user("hi")], "n": 2}
    if "n" in DIALECTS[ask.case.dialect].REFUSED:
        with pytest.raises(NotExpressible):
            ask(**asked)
    else:
        assert [choice["index"] for choice in ask(**asked).body["choices"]] == [0, 1]


def test_log_probabilities(ask):
    """Log probabilities are asked for in the vendor's words, or not expressible: never silently none."""
    asked = {"messages": [user("hi")], "logprobs": True, "top_logprobs": 2}
    if "logprobs" in DIALECTS[ask.case.dialect].REFUSED:
        with pytest.raises(NotExpressible):
            ask(**asked)
        return
    body = json.loads(ask.provider.call(ask.case.model, asked).body)
    said = body.get("generationConfig", body)
    wanted = {"responseLogprobs": True, "logprobs": 2}, {"logprobs": True, "top_logprobs": 2}
    assert {name: said[name] for name in said if "logprobs" in name.lower()} in wanted
    assert only_choice(ask(**asked))["finish_reason"] == "stop"


def test_bad_key(ask, sandbox, session):
    """A key the provider does not know is ours to mend, whatever status it comes with."""
    with pytest.raises(ProviderMisconfigured):
        Caller(ask.case, sandbox.url, session, key="bad-key")(messages=[user("hi")])


def test_unknown_model(ask):
    """A model the provider does not have is ours to mend."""
    with pytest.raises(ProviderMisconfigured) as caught:
        ask(model="does-not-exist", messages=[user("hi")])
    assert "does-not-exist" in caught.value.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, ProviderFailed), (503, ProviderFailed), (429, ProviderRateLimited), (400, ProviderRefused)],
)
def test_status(ask, status, kind):
    """Each status stands for its error, with the provider's words."""
    with pytest.raises(kind) as caught:
        ask(messages=[user("hi")], sandbox={"fault": "status", "status": status})
    assert caught.value.upstream_status == status
    assert caught.value.message


def test_retry_after(ask):
    """A 429 says how long to wait, in whatever place the vendor says it."""
    with pytest.raises(ProviderRateLimited) as caught:
        ask(messages=[user("hi")], sandbox={"fault": "status", "status": 429, "retry_after": 7})
    assert caught.value.retry_after_s == pytest.approx(7, abs=1)


def test_malformed(ask):
    """A broken body is a malformed answer."""
    with pytest.raises(MalformedAnswer):
        ask(messages=[user("hi")], sandbox={"fault": "malformed"})


def listed(ask, session):
    """The answer to the question for the models."""
    call = ask.provider.listing()
    assert (call.method, call.body) == ("GET", b"")
    answer = session.request(call.method, call.url, headers=call.headers, timeout=20)
    return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)


def test_the_models_are_listed_without_a_call(ask, sandbox, session):
    """With the account's key and headers the vendor lists its models, and counts no call to one."""
    before = sandbox.calls()
    reply = listed(ask, session)
    assert reply.status == 200
    assert reply.json_object()
    after = sandbox.calls()
    assert after["total"] == before["total"]
    name = ask.case.path.split("/")[1]
    assert after["listings"][name] == before["listings"].get(name, 0) + 1


def test_a_refused_key_is_seen_by_listing(ask, sandbox, session):
    """Each vendor's own words for a bad key are ours to mend, whatever their status."""
    bad = Caller(ask.case, sandbox.url, session, key="bad-key")
    reply = listed(bad, session)
    assert isinstance(bad.provider.failure(reply), ProviderMisconfigured)

"""Anthropic's Messages: the chat request that a request becomes, and what each dialect's adapter makes of that."""

import contextlib
import json

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import InvalidRequest, ProviderError
from routing.request import RoutingRequest
from workers.providers.base import Account
from workers.providers.registry import adapter
from workers.requests import anthropic_schema
from workers.surfaces.messages_request import chat_request

MARK = {"type": "ephemeral"}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
IMAGE = {"type": "image", "source": PNG}
TOOL = {"name": "get_weather", "description": "Weather.", "input_schema": {"type": "object", "properties": {}}}
USE = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Rome"}}
THOUGHT = {"type": "thinking", "thinking": "Rome it is.", "signature": "EqQB"}
HELLO = {"role": "user", "content": "Hello."}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def text(words, **fields):
    return {"type": "text", "text": words, **fields}


def result(content, **fields):
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": content, **fields}


def asked(*turns, **fields):
    """The chat request of a checked Messages request."""
    body = {"model": "m", "max_tokens": 100, "messages": list(turns) or [HELLO], **fields}
    anthropic_schema.check(body)
    return chat_request(body)


def messages(*turns, **fields):
    return asked(*turns, **fields)["messages"]


def sent(dialect, chat, model="claude-sonnet-5"):
    """What the dialect's adapter would send."""
    account = Account(dialect, "https://example.com/v1", "key")
    return json.loads(adapter(account, dialect).call(model, chat).body)


def test_plain_turns_are_plain_messages():
    """Texts stay texts, whether they were sent as such or as one block; the system prompt goes first."""
    told = messages(
        user(text("Hi.")),
        {"role": "assistant", "content": "Yes?"},
        {"role": "system", "content": "Be brief."},
        HELLO,
        system=[text("You are"), text("a poet.")],
    )
    assert told == [
        {"role": "system", "content": "You are\na poet."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Yes?"},
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello."},
    ]


def test_pictures_and_documents_are_parts():
    """Pictures by URL or embedded, PDF as a file, text documents and search results as text."""
    url = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    page = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "A page."}}
    inner = {"type": "document", "source": {"type": "content", "content": [text("Inside."), IMAGE]}}
    found = {"type": "search_result", "title": "T", "source": "https://t", "content": [text("Found.")]}
    pdf = {"type": "document", "source": PDF, "title": "a.pdf", "context": "Old."}
    [message] = messages(user(text("Look."), IMAGE, url, pdf, page, inner, found))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}}
    assert message["content"] == [
        text("Look."),
        picture,
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        text("a.pdf"),
        text("Old."),
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
        text("A page."),
        text("Inside."),
        picture,
        text("T (https://t)\nFound."),
    ]


def test_tool_results_are_tool_messages():
    """Results go first, each alone; what a result shows follows in the user's name."""
    told = messages(HELLO, assistant(text("Let me see."), USE), user(result([text("sunny"), IMAGE]), text("Well?")))
    assert told[1:] == [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {
                    "id": "toolu_1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "toolu_1", "content": "sunny"},
        {
            "role": "user",
            "content": [
                text("What tool call toolu_1 returned:"),
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}},
                text("Well?"),
            ],
        },
    ]
    for content in (None, "", []):
        assert messages(HELLO, assistant(USE), user(result(content)))[2]["content"] == ""


@pytest.mark.parametrize(
    ("choice", "fields"),
    [
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        (
            {"type": "any", "disable_parallel_tool_use": True},
            {"tool_choice": "required", "parallel_tool_calls": False},
        ),
        (
            {"type": "tool", "name": "get_weather"},
            {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
        ),
    ],
)
def test_tools_are_functions(choice, fields):
    """A tool is a function with its schema, and each choice has OpenAI's word."""
    chat = asked(tools=[{**TOOL, "strict": True}], tool_choice=choice)
    function = {"name": "get_weather", "description": "Weather.", "parameters": TOOL["input_schema"], "strict": True}
    assert chat["tools"] == [{"type": "function", "function": function}]
    assert {name: chat[name] for name in ("tool_choice", "parallel_tool_calls") if name in chat} == fields


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({}, None),
        ({"thinking": {"type": "disabled"}}, None),
        ({"thinking": {"type": "adaptive"}}, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 10_000}}, "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 32_000}}, "high"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, "low"),
        ({"output_config": {"effort": "max"}}, "xhigh"),
    ],
)
def test_thinking_is_an_effort(fields, effort):
    """Providers without a budget are told an effort; Anthropic is told what was said."""
    chat = asked(**fields)
    assert chat.get("reasoning_effort") == effort
    body = sent("anthropic", chat)
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == fields


def test_a_loop_begun_elsewhere_goes_on_without_thinking():
    """Claude refuses a budget where its own thinking is missing from the loop, so none is sent."""
    thinking = {"type": "enabled", "budget_tokens": 2000}
    loop = [HELLO, assistant(USE), user(result("sunny"))]
    assert "thinking" not in sent("anthropic", asked(*loop, thinking=thinking), "claude-haiku-4-5")
    own = [HELLO, assistant(THOUGHT, USE), user(result("sunny"))]
    assert sent("anthropic", asked(*own, thinking=thinking), "claude-haiku-4-5")["thinking"] == thinking


def test_options_have_openais_names():
    """Stop sequences, the user, the tier and a schema; the router's own options and unknown fields pass."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    chat = asked(
        stop_sequences=["END"],
        metadata={"user_id": "u1"},
        service_tier="standard_only",
        output_format={"type": "json_schema", "schema": schema},
        temperature=0.5,
        provider={"only": ["groq"]},
        deadline_s=5,
        sandbox={"text": "x"},
        betas=["x"],
        speed="fast",
    )
    assert {name: value for name, value in chat.items() if name not in ("messages", "anthropic")} == {
        "model": "m",
        "max_tokens": 100,
        "stop": ["END"],
        "user": "u1",
        "service_tier": "default",
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
        "temperature": 0.5,
        "provider": {"only": ["groq"]},
        "deadline_s": 5,
        "sandbox": {"text": "x"},
    }


MARKED = {
    "system": [text("Be brief."), text("Be kind.", cache_control=MARK)],
    "tools": [{**TOOL, "cache_control": MARK}],
    "cache_control": MARK,
    "metadata": {"user_id": "u1"},
    "stop_sequences": ["END"],
    "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
}
CONVERSATION = [
    user(text("Look.", cache_control=MARK), {**IMAGE, "cache_control": MARK}, {"type": "document", "source": PDF}),
    assistant(THOUGHT, {"type": "redacted_thinking", "data": "EmwK"}, text("Hm."), {**USE, "cache_control": MARK}),
    user(result([text("no")], is_error=True, cache_control=MARK), text("Well?")),
    assistant(THOUGHT, text("Sunny.", cache_control=MARK)),
    user(text("Thanks.")),
]


def test_anthropic_gets_what_was_asked():
    """At Anthropic's own dialect the request is what the caller wrote: marks, thinking and errors of tools included."""
    body = sent("anthropic", asked(*CONVERSATION, **MARKED))
    assert body == {
        "model": "claude-sonnet-5",
        "max_tokens": 100,
        "messages": CONVERSATION,
        **MARKED,
    }


def test_anthropic_takes_what_is_sent(sandbox):
    """The vendor's own rules are met by a request with everything in it."""
    body = sent("anthropic", asked(*CONVERSATION, **MARKED, thinking={"type": "adaptive"}))
    headers = {"x-api-key": "any", "anthropic-version": "2026-10-21"}
    answer = requests.post(f"{sandbox.url}/anthropic/v1/messages", json=body, headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("dialect", ["openai", "groq", "hugging-face", "google-gemini"])
def test_others_get_nothing_of_anthropics(dialect):
    """No cache mark, signature or field of Anthropic's leaves for another vendor, and texts are texts again."""
    fields = {name: value for name, value in MARKED.items() if name != "tool_choice"}
    chat = asked(*CONVERSATION, **fields, top_k=5, thinking={"type": "enabled", "budget_tokens": 2000})
    body = sent(dialect, chat, "some-model")
    told = json.dumps(body)
    for word in ("cache_control", "ephemeral", "EqQB", "is_error", "anthropic", "top_k", "topK", "budget_tokens"):
        assert word not in told
    if dialect != "google-gemini":
        roles = {message["role"]: message["content"] for message in body["messages"]}
        assert (roles["system"], roles["assistant"], roles["tool"]) == ("Be brief.\nBe kind.", "Sunny.", "no")


def test_thinking_of_others_is_not_shown_to_anthropic():
    """A thinking block without a signature is another provider's reasoning: Anthropic would refuse it."""
    unsigned = {**THOUGHT, "signature": ""}
    chat = asked(HELLO, assistant(unsigned, text("Hm.")), HELLO)
    assert chat["messages"][1]["reasoning_content"] == "Rome it is."
    assert sent("anthropic", chat)["messages"][1] == assistant(text("Hm."))


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "text", "user", "auto", "https://a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "id"]), inner),
    max_leaves=5,
)
KINDS = ("text", "image", "document", "search_result", "tool_result", "tool_use", "thinking", "redacted_thinking", "x")
FIELDS = ("text", "source", "content", "tool_use_id", "id", "name", "input", "thinking", "signature", "data", "title")
sources = st.fixed_dictionaries(
    {"type": st.sampled_from(["base64", "url", "text", "content", "file"])},
    optional={
        "media_type": st.sampled_from(["image/png", "application/pdf", "text/plain"]) | junk,
        "data": st.just("iVBORw0K") | junk,
        "url": st.just("https://a") | junk,
        "content": st.just([text("x"), IMAGE]) | junk,
    },
)
inner = st.one_of(
    st.just(IMAGE), st.just(text("x")), st.builds(lambda source: {"type": "document", "source": source}, sources)
)
blocks = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional={
        **{name: st.just("x") | junk for name in FIELDS if name not in ("source", "content", "input")},
        "source": sources | junk,
        "content": st.lists(inner, max_size=2) | st.just("x") | junk,
        "input": st.just({}) | junk,
        "is_error": st.booleans() | junk,
        "cache_control": st.just(MARK) | junk,
        "citations": st.just({"enabled": False}) | junk,
    },
)
turns = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "system"]) | junk,
        "content": st.just("x") | st.lists(blocks, max_size=3) | junk,
    }
)
schemas = st.just({"type": "object"}) | junk
NAMED = {
    "system": st.just("x") | st.lists(blocks, max_size=2) | junk,
    "tools": st.lists(
        st.fixed_dictionaries({"name": st.just("t")}, optional={"input_schema": schemas, "type": junk}), max_size=2
    )
    | junk,
    "tool_choice": st.sampled_from([{"type": "auto"}, {"type": "tool", "name": "t"}]) | junk,
    "thinking": st.sampled_from([{"type": "enabled", "budget_tokens": 2000}, {"type": "adaptive"}]) | junk,
    "output_config": st.fixed_dictionaries({}, optional={"effort": st.just("low") | junk, "format": junk}) | junk,
    "output_format": st.builds(lambda schema: {"type": "json_schema", "schema": schema}, schemas) | junk,
    "stop_sequences": st.lists(st.just("x"), max_size=2) | junk,
    "metadata": st.just({"user_id": "u"}) | junk,
    "service_tier": st.just("auto") | junk,
    "cache_control": st.just(MARK) | junk,
    "top_k": st.integers(0, 9) | junk,
    "response_format": junk,
    "reasoning_effort": st.just("low") | junk,
    "stop": junk,
    "mcp_servers": junk,
    "anthropic": junk,
}


@given(
    st.fixed_dictionaries(
        {"model": st.just("m"), "max_tokens": st.just(9) | junk, "messages": st.lists(turns, max_size=3) | junk},
        optional=NAMED,
    )
)
def test_no_body_is_too_odd(body):
    """Whatever is sent is refused with its place named, or understood by routing and by every dialect."""
    try:
        anthropic_schema.check(body)
    except InvalidRequest:
        return
    chat = chat_request(body)
    RoutingRequest.from_body(chat)
    for dialect in ("openai", "groq", "google-gemini", "anthropic"):
        with contextlib.suppress(ProviderError):
            sent(dialect, chat)

"""What a request to the Responses API may hold: the first fault is named by its path, and nothing else gets through."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import InvalidRequest
from workers.requests import chat_schema, responses_schema
from workers.requests.responses_demand import demand_of
from workers.surfaces.base import Head
from workers.surfaces.responses_items import is_reference, listed
from workers.surfaces.responses_native import native_of, native_request
from workers.surfaces.responses_object import response_object
from workers.surfaces.responses_request import REFUSED, chat_request, conversation_of

FUNCTION = {"type": "function", "name": "f"}
IMAGE = {"type": "input_image", "image_url": "https://example.com/a.png"}


def ask(**fields):
    """A request that is well, but for `fields`."""
    return {"model": "fast", "input": "Hi.", **fields}


def said(*parts, role="user"):
    """A request of one message of these parts."""
    return ask(input=[{"role": role, "content": list(parts)}])


def item(**fields):
    """A request of one item."""
    return ask(input=[fields])


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": "x"}, "model"),
        ({"model": "fast"}, "input"),
        ({"model": "fast", "input": None}, "input"),
        (ask(model=5), "model"),
        (ask(model=""), "model"),
        (ask(models="fast"), "models"),
        (ask(input=5), "input"),
        (ask(input={}), "input"),
        (ask(input=[]), "input"),
        (ask(input=[{"role": "user", "content": "x"}] * 4097), "input"),
        (ask(input=["x"]), "input[0]"),
        (item(), "input[0].type"),
        (item(type=5), "input[0].type"),
        (item(type=["message"]), "input[0].type"),
        (item(type=""), "input[0].type"),
        (item(type="computer_call_output", id=5), "input[0].id"),
        (item(type="item_reference", id=5), "input[0].id"),
        (item(type="item_reference"), "input[0].id"),
        (item(type="message", content="x"), "input[0].role"),
        (item(role="tool", content="x"), "input[0].role"),
        (item(role=["user"], content="x"), "input[0].role"),
        (item(role="user"), "input[0].content"),
        (item(role="user", content=5), "input[0].content"),
        (item(role="user", content=[]), "input[0].content"),
        (item(role="user", content="x", id=5), "input[0].id"),
        (item(role="assistant", content="x", extra_content="y"), "input[0].extra_content"),
        (said("x"), "input[0].content[0]"),
        (said({"text": "x"}), "input[0].content[0]"),
        (said({"type": ["input_text"], "text": "x"}), "input[0].content[0]"),
        (said({"type": "input_text"}), "input[0].content[0]"),
        (said({"type": "output_text", "text": "x"}), "input[0].content[0]"),
        (said({"type": "input_image"}), "input[0].content[0]"),
        (said({"type": "input_image", "file_id": 5}), "input[0].content[0]"),
        (said({"type": "input_image", "file_id": "file_1", "image_url": "x"}), "input[0].content[0]"),
        (said({**IMAGE, "image_url": {"url": "https://example.com"}}), "input[0].content[0]"),
        (said(IMAGE, {**IMAGE, "detail": "most"}), "input[0].content[1]"),
        (said({"type": "input_file"}), "input[0].content[0]"),
        (said({"type": "input_file", "file_id": "file_1", "file_url": 5}), "input[0].content[0]"),
        (said({"type": "input_file", "file_data": "x", "filename": 5}), "input[0].content[0]"),
        (said({"type": "input_audio", "input_audio": "x"}), "input[0].content[0]"),
        (said({"type": "refusal"}, role="assistant"), "input[0].content[0]"),
        (said(IMAGE, role="assistant"), "input[0].content[0]"),
        (item(type="reasoning", summary="x"), "input[0].summary"),
        (item(type="reasoning", summary=[{"type": "summary_text"}]), "input[0].summary[0]"),
        (item(type="reasoning", content=[{"type": "x", "text": "x"}]), "input[0].content[0]"),
        (item(type="reasoning", reasoning_details={}), "input[0].reasoning_details"),
        (item(type="function_call", name="f", arguments="{}"), "input[0].call_id"),
        (item(type="function_call", call_id="c", arguments="{}"), "input[0].name"),
        (item(type="function_call", call_id="c", name="f", arguments={}), "input[0].arguments"),
        (item(type="function_call_output", output="x"), "input[0].call_id"),
        (item(type="function_call_output", call_id="c"), "input[0].output"),
        (item(type="function_call_output", call_id="c", output=[5]), "input[0].output[0]"),
        (ask(instructions=["x"]), "instructions"),
        (ask(previous_response_id=5), "previous_response_id"),
        (ask(temperature=3), "temperature"),
        (ask(top_p="x"), "top_p"),
        (ask(max_output_tokens=0), "max_output_tokens"),
        (ask(max_output_tokens=1.5), "max_output_tokens"),
        (ask(top_logprobs=21), "top_logprobs"),
        (ask(include="x"), "include"),
        (ask(include=["everything"]), "include[0]"),
        (ask(tools={}), "tools"),
        (ask(tools=["x"]), "tools[0]"),
        (ask(tools=[{"name": "f"}]), "tools[0].type"),
        (ask(tools=[{"type": "function"}]), "tools[0].name"),
        (ask(tools=[FUNCTION, {"type": ""}]), "tools[1].type"),
        (ask(tools=[{**FUNCTION, "parameters": []}]), "tools[0].parameters"),
        (ask(tools=[{**FUNCTION, "strict": "yes"}]), "tools[0].strict"),
        (ask(tool_choice="maybe"), "tool_choice"),
        (ask(tool_choice=["auto"]), "tool_choice"),
        (ask(tool_choice="required"), "tool_choice"),
        (ask(tools=[FUNCTION], tool_choice={"type": "function", "name": "g"}), "tool_choice"),
        (ask(tools=[FUNCTION], tool_choice={"type": "function"}), "tool_choice"),
        (ask(tool_choice={"type": "file_search"}), "tool_choice"),
        (ask(tools=[FUNCTION], tool_choice={"type": 5}), "tool_choice"),
        (ask(tools=[FUNCTION], tool_choice={"type": "allowed_tools", "tools": [FUNCTION]}), "tool_choice.mode"),
        (
            ask(tools=[FUNCTION], tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [5]}),
            "tool_choice.tools",
        ),
        (ask(parallel_tool_calls=1), "parallel_tool_calls"),
        (ask(text="x"), "text"),
        (ask(text={"verbosity": "much"}), "text.verbosity"),
        (ask(text={"format": "text"}), "text.format"),
        (ask(text={"format": {}}), "text.format.type"),
        (ask(text={"format": {"type": "yaml"}}), "text.format.type"),
        (ask(text={"format": {"type": "json_schema", "schema": {}}}), "text.format.name"),
        (ask(text={"format": {"type": "json_schema", "name": "n"}}), "text.format.schema"),
        (ask(text={"format": {"type": "json_schema", "name": "n", "schema": []}}), "text.format.schema"),
        (ask(reasoning="high"), "reasoning"),
        (ask(reasoning={"effort": "utmost"}), "reasoning.effort"),
        (ask(reasoning={"mode": "most"}), "reasoning.mode"),
        (ask(prompt="x"), "prompt"),
        (ask(metadata=["x"]), "metadata"),
        (ask(metadata={"k": 5}), "metadata.k"),
        (ask(metadata={str(number): "v" for number in range(17)}), "metadata"),
        (ask(metadata={"k" * 65: "v"}), "metadata"),
        (ask(truncation="some"), "truncation"),
        (ask(store="no"), "store"),
        (ask(background=True, store=False), "store"),
        (ask(background="yes"), "background"),
        (ask(stop=5), "stop"),
        (ask(user=5), "user"),
        (ask(deadline_s=0), "deadline_s"),
        (ask(webhook_url="ftp://example.com/"), "webhook_url"),
        (ask(service_tier="vip"), "service_tier"),
        (ask(on_disconnect="explode"), "on_disconnect"),
        (ask(provider="groq"), "provider"),
        (ask(provider={"order": "groq"}), "provider.order"),
        *[(ask(**{name: {"x": 1}}), name) for name in REFUSED],
    ],
)
def test_a_fault_is_named(body, param):
    """Each is refused with the path of what is wrong, and a sentence."""
    with pytest.raises(InvalidRequest) as raised:
        responses_schema.check(body)
    assert raised.value.param == param
    assert raised.value.message.startswith(f"{param}: ")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *[
            (ask(tools=[FUNCTION, {"type": kind}]), "tools[1].type")
            for kind in ("web_search", "file_search", "mcp", "code_interpreter", "image_generation", "custom")
        ],
        (ask(tools=[FUNCTION], tool_choice={"type": "file_search"}), "tool_choice"),
        (item(type="computer_call_output", call_id="c", output={}), "input[0].type"),
        (item(type="image_generation_call", id="ig_1", result="QUJD"), "input[0].type"),
        (said({"type": "input_image", "file_id": "file_1"}), "input[0].content[0]"),
        (said({"type": "input_file", "file_url": "https://example.com"}), "input[0].content[0]"),
        (said({"type": "input_new"}), "input[0].content[0]"),
        (
            item(type="function_call_output", call_id="c", output=[{"type": "input_file", "file_id": "x"}]),
            "input[0].output[0]",
        ),
        (ask(reasoning={"mode": "pro"}), "reasoning.mode"),
        (ask(prompt={"id": "pmpt_1"}), "prompt"),
        (ask(context_management=[{"type": "compaction"}]), "context_management"),
    ],
)
def test_what_no_chat_can_say_needs_a_responses_endpoint(body, field):
    """It is taken, and the first field that needs one is named."""
    responses_schema.check(body)
    assert native_of(body, conversation_of(body, [])).needed_by == field


def test_what_the_sdks_send_by_themselves_is_taken():
    """Nulls, and fields that ask for nothing here, are no faults."""
    nulls = dict.fromkeys((*REFUSED, "tools", "tool_choice", "text", "reasoning", "metadata", "include", "store"))
    responses_schema.check(ask(**nulls))
    body = ask(
        truncation="auto",
        include=["reasoning.encrypted_content"],
        stream_options={"include_obfuscation": False},
        tool_choice="auto",
        max_tool_calls=3,
        prompt_cache_key="k",
        safety_identifier="s",
        top_k=5,
    )
    responses_schema.check(body)
    chat = chat_request({**body, **nulls}, conversation_of(body, []))
    assert chat.pop("messages") == [{"role": "user", "content": "Hi."}]
    assert not chat.keys() & {*REFUSED, "truncation", "include", "stream_options", "max_tool_calls"}
    assert chat["top_k"] == 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 30) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
WORDS = st.sampled_from(
    ["message", "user", "assistant", "input_text", "function", "f", "auto", "json_schema", "reasoning", "x"]
)
NAMES = st.sampled_from(["type", "role", "content", "text", "name", "call_id", "output", "summary", "arguments"])
ITEMS = st.dictionaries(NAMES, WORDS | JSON | st.lists(st.dictionaries(NAMES, WORDS | JSON, max_size=3), max_size=2))
BODIES = st.fixed_dictionaries(
    {"model": st.just("fast")},
    optional={
        "input": st.text(max_size=3) | st.lists(ITEMS, max_size=4) | JSON,
        "instructions": st.text(max_size=3) | JSON,
        "tools": st.lists(st.fixed_dictionaries({"type": WORDS, "name": WORDS}) | JSON, max_size=2) | JSON,
        "tool_choice": st.fixed_dictionaries({"type": WORDS, "name": WORDS}) | WORDS | JSON,
        "text": st.fixed_dictionaries({"format": st.dictionaries(NAMES, WORDS | JSON)}) | JSON,
        "reasoning": JSON,
        "metadata": JSON,
        "include": JSON,
        "top_logprobs": JSON,
        "max_output_tokens": JSON,
        "stop": JSON,
        "store": JSON,
    },
)


@settings(deadline=None, max_examples=400)
@given(BODIES)
def test_whatever_is_sent_is_refused_or_becomes_what_providers_are_asked(body):
    """A body has a fault that is named, or becomes a chat, a response of theirs or either, and can be repeated."""
    items = [] if not isinstance(body.get("input"), list | str) else conversation_of(body, [])
    try:
        responses_schema.check(body)
        demand = demand_of(body, [item for item in items if not is_reference(item)])
    except InvalidRequest as error:
        named = error.param
    else:
        named = "none needed"
        demand.wanted()
        if "messages" in demand.body:
            chat_schema.check(demand.body)
        if demand.native is not None:
            kept = {**demand.echo, "native": json.loads(json.dumps(demand.native.to_wire()))}
            sent = native_request(demand.body, kept)
            assert sent["store"] is False
            assert not sent.keys() & {"messages", "background", "metadata", "previous_response_id"}
        head = Head("job_ab", "m", 0, echo=demand.echo)
        response_object(head, "queued")
        listed(items, head)
    assert named

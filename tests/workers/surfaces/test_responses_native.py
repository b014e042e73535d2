"""What goes to a Responses endpoint of a job, and what its answers and events become."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.catalogue import Deployment
from routing.plan import Candidate, Plan
from tests.support.response_stream import accumulated, valid
from workers import frames
from workers.continuation import Beginning
from workers.frames import RESPONSE_EVENT
from workers.requests.responses_demand import demand_of
from workers.surfaces.base import Head
from workers.surfaces.registry import RESPONSES
from workers.surfaces.responses_native import native_request
from workers.surfaces.responses_request import conversation_of

HEX = "ab" * 16
SEARCH = {"type": "web_search"}
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}
NATIVE = Deployment("openai", "m", endpoints=frozenset({"chat", "responses"}))
CHAT = Deployment("groq", "m", endpoints=frozenset({"chat"}))


def plan(*deployments):
    return Plan("balanced", tuple(map(Candidate, deployments)))


def demand(before=(), **body):
    """The demand of a request to `fast`."""
    body = {"model": "fast", "input": "Hi.", **body}
    return demand_of(body, conversation_of(body, before), earlier=len(before))


def sent(before=(), **body):
    """What a Responses endpoint is sent of it, after a way through the ledger."""
    asked = demand(before, **body)
    echo = json.loads(json.dumps(asked.echo_for(plan(CHAT, NATIVE))))
    return native_request(json.loads(json.dumps(asked.body)), echo)


def items(*given, **body):
    """The input items that are sent of these."""
    return sent(input=list(given), **body)["input"]


def test_what_is_sent():
    """The caller's fields as they are, and nothing of the router's; the vendor keeps nothing."""
    own = {
        "tools": [SEARCH, FUNCTION],
        "tool_choice": {"type": "web_search"},
        "parallel_tool_calls": False,
        "text": {"format": {"type": "json_object"}},
        "reasoning": {"effort": "low", "mode": "pro"},
        "max_output_tokens": 9,
        "include": ["web_search_call.action.sources"],
        "instructions": "Be short.",
        "temperature": 0.1,
        "user": "u",
        "unheard_of": {"x": 1},
        "truncation": "auto",
        "max_tool_calls": 3,
        "context_management": [{"type": "compaction"}],
    }
    router = {"models": ["smart"], "deadline_s": 5, "background": True, "metadata": {"k": "v"}, "service_tier": "flex"}
    said = [{"type": "message", "role": "user", "content": "Hi."}]
    assert sent(**own, **router) == {"model": "fast", "input": said, "store": False, **own}


def test_a_stream_is_asked_for():
    """With its options, which mean nothing without it."""
    assert sent(stream=True, stream_options={"include_obfuscation": False}).items() >= {"stream": True}.items()
    assert "stream_options" not in sent(stream_options={"include_obfuscation": False})
    assert sent(stream=True, stream_options={"include_obfuscation": False})["stream_options"]


@pytest.mark.parametrize("name", ["seed", "stop", "frequency_penalty", "presence_penalty", "logit_bias"])
def test_what_only_chat_knows_is_translated(name):
    """Unless it cannot be: then the vendor may judge."""
    assert sent(**{name: {"5": 1} if name == "logit_bias" else 1}) is None
    assert name in sent(**{name: 1}, tools=[SEARCH])


def test_the_record_is_as_small_as_it_was_where_it_can_only_be_translated():
    """Only a plan with a Responses endpoint in it keeps what such an endpoint is told."""
    asked = demand(instructions="Be short.", include=["reasoning.encrypted_content"])
    assert asked.echo_for(plan(CHAT)) is asked.echo
    assert asked.echo_for(plan(CHAT, NATIVE)).keys() - asked.echo.keys() == {"native"}


def test_the_conversation_is_kept_once():
    """It is in the echo where the response is kept, and with the native part where it is not."""
    assert "input" not in demand().echo_for(plan(NATIVE))["native"]
    unkept = demand(store=False).echo_for(plan(NATIVE))
    assert "input" not in unkept
    assert unkept["native"]["input"][0]["content"] == "Hi."
    assert "messages" not in demand(tools=[SEARCH]).body


def test_what_routing_knows_of_it():
    """Who may serve it, and how long it is, whether it can be translated or not."""
    words = "word " * 400
    plain, only = demand(input=words).wanted(), demand(input=words, tools=[SEARCH, FUNCTION]).wanted()
    assert (plain.endpoints, plain.responses_field) == ({"chat", "responses"}, "")
    assert (only.endpoints, only.responses_field) == ({"responses"}, "tools[0].type")
    assert plain.needs == frozenset()
    assert only.needs == {"tools"}
    assert plain.prompt_tokens == 504
    assert only.prompt_tokens == pytest.approx(504, abs=30)
    assert demand(input="x", seed=5).wanted().endpoints == {"chat"}
    picture = {"type": "input_image", "image_url": "data:image/png;base64,QUJD"}
    seen = demand(input=[{"role": "user", "content": [picture]}], tools=[SEARCH], max_output_tokens=7).wanted()
    assert (seen.needs, seen.max_tokens, seen.prompt_tokens) == ({"vision"}, 7, 804)


def test_items_are_such_as_a_vendor_that_kept_nothing_can_read():
    """Ids of words and calls, and what this router adds, are left out; reasoning that is not sealed is, too."""
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    sealed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
    looked = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    assert items(
        {"role": "user", "content": "x", "id": "msg_1", "status": None},
        {"type": "reasoning", "id": "rs_0", "summary": []},
        sealed,
        looked,
        {**call, "id": "fc_1", "extra_content": {"google": {}}},
        {"type": "function_call_output", "id": "fco_1", "call_id": "c", "output": "y"},
        {"type": "image_generation_call", "id": "ig_1", "result": None, "url": "https://x"},
    ) == [
        {"role": "user", "content": "x"},
        sealed,
        looked,
        call,
        {"type": "function_call_output", "call_id": "c", "output": "y"},
    ]


def test_a_finished_call_of_a_vendors_own_tool_is_left_out_of_a_chat():
    """What it found is in the message after it; one that waits for the caller's answer cannot be left out."""
    found = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}}
    said = {"role": "assistant", "content": "It rains."}
    asked = demand([{"role": "user", "content": "Weather?"}, found, said])
    assert asked.native.needed_by == ""
    assert [message["role"] for message in asked.body["messages"]] == ["user", "assistant", "user"]
    waits = {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"}
    assert demand([waits]).native.needed_by == "previous_response_id"


RESPONSE = {
    "id": "resp_vendor",
    "object": "response",
    "created_at": 5,
    "status": "completed",
    "model": "m-2026",
    "output": [{"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search"}}],
    "background": False,
    "store": False,
    "metadata": {},
    "previous_response_id": None,
    "instructions": None,
    "temperature": 1.0,
    "tools": [SEARCH],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "usage": None,
    "new_field": 1,
}
ECHO = {"metadata": {"k": "v"}, "background": True, "previous_response_id": "resp_before", "temperature": 0.5}
HEAD = Head(f"job_{HEX}", "m-2026", 1234, echo=ECHO)


def test_the_answer_is_ours():
    """Its name and how it is kept are the router's, everything else is the vendor's."""
    shown = valid(RESPONSES.answer(RESPONSE, HEAD))
    assert shown["id"] == f"resp_{HEX}"
    assert {
        name: shown[name] for name in ("created_at", "store", "background", "metadata", "previous_response_id")
    } == {
        "created_at": 1234,
        "store": True,
        "background": True,
        "metadata": {"k": "v"},
        "previous_response_id": "resp_before",
    }
    assert (shown["output"], shown["temperature"], shown["new_field"]) == (RESPONSE["output"], 1.0, 1)
    assert (shown["tools"], shown["error"], shown["user"]) == ([SEARCH], None, None)


def written(*events, ends=None, fails=None):
    """The events that these of a vendor's become."""
    writer = RESPONSES.writer(HEAD)
    lines = [frames.line({"index": 0, "delta": {RESPONSE_EVENT: event}}) for event in events]
    told = [event for line in lines for event in writer.choice(frames.read(line))]
    if ends is not None:
        return [*told, *writer.completed(RESPONSES.answer(ends, HEAD))]
    return [*told, *(writer.failed(fails, 502) if fails else ())]


MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
AT = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
PART = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
BEGUN = [
    {"type": "response.output_item.added", "output_index": 0, "item": MESSAGE, "sequence_number": 2},
    {"type": "response.content_part.added", **AT, "part": PART, "sequence_number": 3},
    {
        "type": "response.output_text.delta",
        **AT,
        "delta": "Hel",
        "logprobs": [],
        "obfuscation": "x",
        "sequence_number": 4,
    },
    {"type": "response.output_text.delta", **AT, "delta": "lo", "logprobs": [], "sequence_number": 9},
]
ERROR = {"error": {"message": "It broke.", "type": "api_error", "param": None, "code": "stream_interrupted"}}


def test_events_are_passed_on():
    """Types and payloads are the vendor's; the numbers are ours, and the SDK puts them together."""
    said = {**MESSAGE, "status": "completed", "content": [{**PART, "text": "Hello"}]}
    done = {"type": "response.output_item.done", "output_index": 0, "item": said}
    events = written(*BEGUN, done, ends={**RESPONSE, "output": [said]})
    accumulated(events)
    assert [event.name for event in events] == [
        "response.created", "response.in_progress", *(event["type"] for event in BEGUN), "response.output_item.done",
        "response.completed",
    ]  # fmt: skip
    assert events[4].data == {**BEGUN[2], "sequence_number": 4}
    assert events[5].data == {**BEGUN[3], "sequence_number": 5}
    assert events[-1].data["response"]["output"] == [said]


def test_other_names_of_the_response_are_ours():
    """Wherever an event tells one."""
    event = {"type": "response.new", "response_id": "resp_vendor", "response": {"id": "resp_vendor", "x": 1}}
    shown = written(event)[-1].data
    assert (shown["response_id"], shown["response"]["id"], shown["response"]["x"]) == (f"resp_{HEX}", f"resp_{HEX}", 1)


def test_a_cut_tells_what_was_said():
    """The error, then the response that failed, with its items as far as they came."""
    call = {
        "id": "fc_1",
        "type": "function_call",
        "call_id": "c",
        "name": "f",
        "arguments": "",
        "status": "in_progress",
    }
    added = {"type": "response.output_item.added", "output_index": 1, "item": call}
    piece = {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 1, "delta": '{"a'}
    error, failed = written(*BEGUN, added, piece, fails=ERROR)[-2:]
    assert (error.name, error.data["code"]) == ("error", "stream_interrupted")
    assert failed.name == "response.failed"
    said, called = failed.data["response"]["output"]
    assert (said["status"], said["content"][0]["text"]) == ("incomplete", "Hello")
    assert (called["status"], called["arguments"]) == ("incomplete", '{"a')


def test_an_answer_in_one_piece_is_told_by_its_items():
    """Where no event came, each item appears and is done."""
    names = [event.name for event in written(ends=RESPONSE)]
    assert names[2:] == ["response.output_item.added", "response.output_item.done", "response.completed"]


def test_nobody_goes_on_with_it():
    """A chat cannot begin with a vendor's events."""
    line = frames.line({"index": 0, "delta": {RESPONSE_EVENT: BEGUN[2]}})
    assert Beginning.of_lines([line]) is None


JSON = st.recursive(
    st.none() | st.integers(-1, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "text", "type"]), inner),
    max_leaves=4,
)
KINDS = st.sampled_from(
    [
        "response.output_item.added", "response.output_item.done", "response.content_part.added",
        "response.output_text.delta", "response.reasoning_summary_part.added", "response.reasoning_summary_text.delta",
        "response.function_call_arguments.delta", "response.new",
    ]
)  # fmt: skip
PLACES = st.integers(0, 2) | JSON
NAMES = st.sampled_from(["item", "part", "delta", "response", "response_id", "content_index"])


@given(st.lists(st.tuples(KINDS, PLACES, st.dictionaries(NAMES, JSON, max_size=3)), max_size=8))
def test_whatever_a_vendor_sends_is_passed_on_and_can_be_cut(told):
    """No event is lost or told twice, the numbers have no gap, and what was said so far can be told."""
    given_events = [{"type": kind, "output_index": place, **fields} for kind, place, fields in told]
    events = written(*given_events, fails=ERROR)
    assert [event.data["sequence_number"] for event in events] == list(range(len(events)))
    assert [event.name for event in events][2:-2] == [event["type"] for event in given_events]
    json.dumps(events[-1].data)

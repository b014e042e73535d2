"""A request of the Responses API as a chat request: what each field and item becomes, and what has no words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import InvalidRequest
from workers.requests import chat_schema
from workers.surfaces.base import Head
from workers.surfaces.responses_items import listed, with_ids
from workers.surfaces.responses_request import chat_request, conversation_of, echo_of

HEAD = Head("job_ab", "m", 0)
PNG = "data:image/png;base64,QUJD"


def chat(**body):
    """The chat request of a request to `fast`."""
    body = {"model": "fast", "input": "Hi.", **body}
    return chat_request(body, conversation_of(body, []))


def messages(*items, **body):
    """The messages of these input items."""
    return chat(input=list(items), **body)["messages"]


def call(call_id="c1", name="f", **fields):
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}", **fields}


def output(call_id="c1", text="sunny"):
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def called(*call_ids):
    """Those calls in a chat message."""
    return [{"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}} for call_id in call_ids]


def test_text_is_a_users_message():
    """A string is what the user says; instructions come first."""
    assert chat(instructions="Be short.")["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Hi."},
    ]


def test_the_fields_that_have_other_names():
    """Each is said in chat's words."""
    schema = {"type": "object"}
    form = {"type": "json_schema", "name": "N", "schema": schema, "strict": True}
    found = chat(
        text={"format": form, "verbosity": "low"},
        reasoning={"effort": "high", "summary": "auto"},
        max_output_tokens=9,
        include=["message.output_text.logprobs"],
        top_logprobs=3,
        tools=[{"type": "function", "name": "f", "parameters": schema, "strict": None}],
        tool_choice={"type": "function", "name": "f"},
        parallel_tool_calls=False,
    )
    assert found["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "N", "schema": schema, "strict": True},
    }
    assert (found["verbosity"], found["reasoning_effort"], found["max_tokens"]) == ("low", "high", 9)
    assert (found["logprobs"], found["top_logprobs"]) == (True, 3)
    assert found["tools"] == [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    assert found["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert found["parallel_tool_calls"] is False
    assert not {"text", "reasoning", "max_output_tokens", "include", "input", "instructions"} & found.keys()


def test_what_only_chat_does_not_know_without_tools_is_left_out():
    """Vendors refuse a choice without tools; it asks for nothing."""
    assert chat(tool_choice="auto", parallel_tool_calls=True).keys() == {"model", "messages"}


def test_other_fields_pass():
    """Sampling, the router's options and what nobody knows keep their names."""
    fields = {"temperature": 0.1, "top_k": 3, "models": ["a"], "deadline_s": 5, "background": True, "user": "u"}
    assert {name: chat(**fields)[name] for name in fields} == fields


def test_allowed_tools():
    """The choice among some tools is chat's."""
    choice = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}
    found = chat(tools=[{"type": "function", "name": "f"}], tool_choice=choice)["tool_choice"]
    function = {"type": "function", "function": {"name": "f"}}
    assert found == {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [function]}}


def test_content_parts():
    """Pictures, files and sound are chat's parts; a single text is plain."""
    parts = [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": PNG, "detail": "low"},
        {"type": "input_file", "file_data": PNG, "filename": "a.png"},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
    ]
    [several, single] = messages({"role": "user", "content": parts}, {"role": "developer", "content": parts[:1]})
    assert several["content"] == [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        {"type": "file", "file": {"filename": "a.png", "file_data": PNG}},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
    ]
    assert single == {"role": "developer", "content": "look"}


def test_a_turn_of_the_model_is_one_message():
    """Reasoning, text and parallel calls belong together; their outputs follow."""
    found = messages(
        {"role": "user", "content": "Hi."},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait."}]},
        call("c1"),
        call("c2"),
        output("c1"),
        output("c2", [{"type": "input_text", "text": "rain"}]),
    )
    assert found[1:] == [
        {"role": "assistant", "content": "Wait.", "reasoning_content": "Hm.", "tool_calls": called("c1", "c2")},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "c2", "content": "rain"},
    ]


def test_text_after_a_call_stays_in_its_turn():
    """Nothing may stand between a call and its output."""
    found = messages({"role": "assistant", "content": "a"}, call(), {"role": "assistant", "content": "b"}, output())
    assert found[0] == {"role": "assistant", "content": "a\nb", "tool_calls": called("c1")}
    assert found[1]["role"] == "tool"


def test_what_vendors_want_back_goes_back():
    """Signatures and reasoning details return to where chat has them."""
    extra = {"google": {"thought_signature": "s"}}
    details = [{"type": "reasoning.text", "text": "Hm."}]
    found = messages(
        {"type": "reasoning", "summary": [], "reasoning_details": details},
        {"role": "assistant", "content": "a", "extra_content": extra},
        call(extra_content=extra),
        output(),
    )
    assert found[0]["reasoning_details"] == details
    assert found[0]["extra_content"] == extra
    assert found[0]["tool_calls"][0]["extra_content"] == extra


def test_a_refusal_is_said_as_one():
    """A message that refused is remembered so."""
    [message] = messages({"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]})
    assert message == {"role": "assistant", "content": None, "refusal": "No."}


@pytest.mark.parametrize(
    ("items", "param"),
    [
        ([output()], "input[0].call_id"),
        ([call(), output(), output("c2")], "input[2].call_id"),
        ([call(), {"role": "user", "content": "x"}], "input"),
        ([{"type": "reasoning", "summary": []}], "input"),
        ([{"type": "image_generation_call", "result": "x"}], "input[0]"),
    ],
)
def test_what_does_not_fit_together_is_named(items, param):
    """Calls and outputs must match, and something must be there to answer."""
    with pytest.raises(InvalidRequest) as raised:
        messages(*items)
    assert raised.value.param == param


def test_places_are_those_of_the_callers_own_input():
    """Items of earlier responses do not shift what an error names."""
    items = [{"role": "user", "content": "x"}, output("nobody")]
    with pytest.raises(InvalidRequest) as raised:
        chat_request({"model": "fast"}, items, earlier=1)
    assert raised.value.param == "input[0].call_id"


def test_the_echo_keeps_the_conversation_unless_told_not_to():
    """`store: false` keeps nothing of it."""
    items = [{"role": "user", "content": "Hi."}]
    assert echo_of({"store": True}, items)["input"] == items
    assert echo_of({"store": False}, items) == {"store": False}


def test_kept_items_have_ids_that_last():
    """An item's own id stays; the others get one that is the same each time, also further down a chain."""
    items = [{"role": "user", "content": "Hi."}, {**output(), "id": "mine"}, call()]
    first = with_ids(items, HEAD)
    assert [item["id"] for item in first] == ["msg_ab_in0", "mine", "fc_ab_in2"]
    assert with_ids(first, Head("job_cd", "m", 0)) == first == with_ids(items, HEAD)


def test_listed_items_are_in_the_long_form():
    """Short forms are written out."""
    items = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Ho."}]
    asked, said = listed(items, HEAD)
    assert asked == {
        "id": "msg_ab_in0",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hi."}],
    }
    assert said["content"] == [{"type": "output_text", "text": "Ho.", "annotations": []}]


TEXTS = st.text(max_size=5)
USERS = st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["user", "system"]), TEXTS)
SAID = st.builds(lambda text: {"role": "assistant", "content": text}, TEXTS)
THOUGHT = st.builds(lambda text: {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}, TEXTS)


@settings(deadline=None)
@given(st.lists(st.one_of(USERS, SAID, THOUGHT, st.integers(0, 4)), max_size=12))
def test_any_conversation_is_one_that_chat_takes(steps):
    """Whatever is mixed, the messages pass chat's own check, and nothing said or called is lost or moved."""
    items, number = [{"role": "user", "content": "begin"}], 0
    for step in steps:
        if isinstance(step, dict):
            items.append(step)
        else:
            calls = [f"c{number + place}" for place in range(step)]
            number += step
            items += [call(each) for each in calls] + [output(each) for each in calls]
    found = messages(*items)
    chat_schema.check({"model": "fast", "messages": found})
    said = [item["content"] for item in items if item.get("role") == "assistant" and item["content"]]
    told = [message["content"] for message in found if message["role"] == "assistant" and message["content"]]
    assert "\n".join(told) == "\n".join(said)
    made = [each["id"] for message in found for each in message.get("tool_calls", ())]
    assert made == [f"c{place}" for place in range(number)]
    assert [message["content"] for message in found if message["role"] in ("user", "system")] == [
        item["content"] for item in items if item.get("role") in ("user", "system")
    ]
    for place, message in enumerate(found):
        for offset, each in enumerate(message.get("tool_calls", ()), 1):
            assert found[place + offset]["tool_call_id"] == each["id"]

"""OpenAI's own client on the sandbox's Responses API, unmodified."""

import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel

pytestmark = pytest.mark.sdk

MODEL = "gpt-5-mini"


class Weather(BaseModel):
    city: str
    degrees: int


TOOL = openai.pydantic_function_tool(Weather, name="get_weather")["function"]
FUNCTION = {"type": "function", "name": "get_weather", "parameters": TOOL["parameters"], "strict": True}
HOSTED = {
    "web_search": {"type": "web_search"},
    "file_search": {"type": "file_search", "vector_store_ids": ["vs_1"]},
    "code_interpreter": {"type": "code_interpreter", "container": {"type": "auto"}},
    "image_generation": {"type": "image_generation"},
}


@pytest.fixture(params=["openai", "vllm"])
def client(sandbox, request):
    with openai.OpenAI(base_url=f"{sandbox.url}/{request.param}/v1", api_key="sk-test", max_retries=0) as made:
        yield made


def whole(response):
    """The response, which the client's strict reading takes as it is."""
    return Response.model_validate(response.model_dump(by_alias=True, exclude_unset=True), strict=True)


def streamed(client, **asked):
    """The stream's events, in order, and the response they make by the client's rules."""
    with client.responses.stream(model=MODEL, **asked) as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    return events, final


def test_create(client):
    """A text is answered, and what was asked is repeated."""
    response = whole(client.responses.create(model=MODEL, input="hello", instructions="Be short.", store=False))
    assert response.output_text.endswith("You said: hello")
    assert (response.status, response.instructions, response.store) == ("completed", "Be short.", False)
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0


def test_usage_and_reasoning(client):
    """What the model thought is an item, told where a summary is asked for; its tokens and cached ones are counted."""
    behaviour = {"sandbox": {"cached_tokens": 1, "reasoning": "Let me think."}}
    asked = {"model": MODEL, "input": "hello", "extra_body": behaviour}
    quiet = whole(client.responses.create(**asked))
    told = whole(client.responses.create(**asked, reasoning={"summary": "auto"}))
    assert [item.type for item in quiet.output] == ["reasoning", "message"]
    assert quiet.output[0].summary == []
    assert told.output[0].summary[0].text == "Let me think."
    assert told.usage.output_tokens_details.reasoning_tokens > 0
    assert told.usage.input_tokens_details.cached_tokens == 1


def test_stream(client):
    """The client's own rules put the stream together: thoughts, words, usage."""
    behaviour = {"sandbox": {"reasoning": "Let me think."}}
    events, final = streamed(client, input="hello", reasoning={"summary": "auto"}, extra_body=behaviour)
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == final.output_text
    assert final.output[0].summary[0].text == "Let me think."
    assert final.usage.output_tokens > 0


def test_a_cut_answer_is_incomplete(client):
    """A limit ends the text, whole and streamed."""
    response = whole(client.responses.create(model=MODEL, input="hello", max_output_tokens=2))
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    events = list(client.responses.create(model=MODEL, input="hello", max_output_tokens=2, stream=True))
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.output_text == response.output_text


def test_a_tool_round_trip(client):
    """A function is called in pieces, and its output is answered; what was said before comes back as items."""
    asked = [{"role": "user", "content": "use get_weather"}]
    events, first = streamed(client, input=asked, tools=[FUNCTION])
    [call] = [item for item in first.output if item.type == "function_call"]
    assert Weather.model_validate_json(call.arguments)
    assert "response.function_call_arguments.delta" in {event.type for event in events}
    said = {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    answer = client.responses.create(model=MODEL, input=[*asked, said, output], tools=[FUNCTION])
    assert answer.output_text.endswith("The tool said: sunny")


@pytest.mark.parametrize("kind", HOSTED)
def test_hosted_tools(client, kind):
    """OpenAI's own tools are called and told as items, whole and streamed."""
    asked = {"input": f"please {kind}", "tools": [HOSTED[kind]]}
    response = whole(client.responses.create(model=MODEL, **asked))
    assert [item.type for item in response.output] == [f"{kind}_call", "message"]
    events, final = streamed(client, **asked)
    assert final.output[0].type == f"{kind}_call"
    assert f"response.{kind}_call.completed" in {event.type for event in events}


def test_custom_tools(client):
    """A tool that takes free text is called with it, whole and streamed."""
    asked = {"input": "run shout", "tools": [{"type": "custom", "name": "shout"}]}
    response = whole(client.responses.create(model=MODEL, **asked))
    assert (response.output[0].type, response.output[0].name) == ("custom_tool_call", "shout")
    _, final = streamed(client, **asked)
    assert final.output[0].input == response.output[0].input


def test_parse(client):
    """Structured output parses into the caller's own model."""
    assert isinstance(client.responses.parse(model=MODEL, input="hello", text_format=Weather).output_parsed, Weather)


def test_refusal(client):
    """A refusal is a part of the message, whole and streamed."""
    refuses = {"extra_body": {"sandbox": {"refusal": "I will not."}}}
    response = whole(client.responses.create(model=MODEL, input="hello", **refuses))
    assert response.output[0].content[0].refusal == "I will not."
    events, _ = streamed(client, input="hello", **refuses)
    assert "response.refusal.done" in {event.type for event in events}


def test_what_is_kept_nowhere_is_not_found(client):
    """Nothing is stored: a response before, an item by its id and reasoning that is not sealed are refused."""
    with pytest.raises(openai.BadRequestError) as raised:
        client.responses.create(model=MODEL, input="x", previous_response_id="resp_1")
    assert raised.value.code == "previous_response_not_found"
    for item in ({"type": "item_reference", "id": "msg_1"}, {"type": "reasoning", "id": "rs_1", "summary": []}):
        with pytest.raises(openai.NotFoundError, match="not persisted"):
            client.responses.create(model=MODEL, input=[item])


def test_an_error_in_a_stream(client):
    """An error in the midst of a stream is the client's own error, as an event."""
    fails = {"extra_body": {"sandbox": {"fault": "error"}}}
    events = list(client.responses.create(model=MODEL, input="hello", stream=True, **fails))
    assert events[-1].type == "error"
    assert events[-1].message


def test_openai_itself_takes_only_what_it_knows(sandbox):
    """A field that the API has not, of the request or of an item, is named and refused."""
    with openai.OpenAI(base_url=f"{sandbox.url}/openai/v1", api_key="sk-test", max_retries=0) as client:
        for asked, param in (
            ({"input": "x", "extra_body": {"seed": 5}}, "seed"),
            ({"input": [{"role": "assistant", "content": "x", "extra_content": {}}]}, "input[0].extra_content"),
        ):
            with pytest.raises(openai.BadRequestError) as raised:
                client.responses.create(model=MODEL, **asked)
            assert raised.value.param == param

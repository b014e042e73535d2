"""OpenAI's own client on the Responses API of the running product, unmodified."""

import time

import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from tests.support.stack import KEY

pytestmark = [pytest.mark.sdk, pytest.mark.integration]

MODEL = "groq/openai/gpt-oss-20b"


class Weather(BaseModel):
    city: str
    degrees: int


TOOL = openai.pydantic_function_tool(Weather, name="get_weather")["function"]
FUNCTION = {"type": "function", "name": "get_weather", "parameters": TOOL["parameters"], "strict": True}


@pytest.fixture
def client(stack):
    with openai.OpenAI(base_url=f"{stack.api.url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def is_whole(response):
    """Whether the SDK's strict reading takes what its lenient one let through."""
    return Response.model_validate(response.model_dump(by_alias=True), strict=True).id == response.id


def test_create(client):
    """A text is answered, with usage."""
    response = client.responses.create(model=MODEL, input="hello", instructions="Be short.")
    assert response.output_text.endswith("You said: hello")
    assert response.status == "completed"
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0
    assert is_whole(response)


def test_items(client):
    """A conversation of items, the client's own output among them, is answered."""
    first = client.responses.create(model=MODEL, input=[{"role": "user", "content": "hello"}])
    turns = [{"role": "user", "content": "hello"}, *first.output, {"role": "user", "content": "again"}]
    response = client.responses.create(model=MODEL, input=turns)
    assert response.output_text.endswith("You said: again")


@pytest.mark.parametrize("model", [MODEL, "google-gemini/gemini-2.5-flash"])
def test_a_tool_round_trip(client, model):
    """A function is called by name and arguments; its output is answered."""
    asked = [{"role": "user", "content": "use get_weather"}]
    response = client.responses.create(model=model, input=asked, tools=[FUNCTION])
    [call] = [item for item in response.output if item.type == "function_call"]
    assert Weather.model_validate_json(call.arguments)
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    answer = client.responses.create(model=model, input=[*asked, *response.output, output], tools=[FUNCTION])
    assert "sunny" in answer.output_text
    assert is_whole(response)


def test_parse(client):
    """Structured output, and a tool's arguments, parse into the caller's own model."""
    response = client.responses.parse(model=MODEL, input="hello", text_format=Weather)
    assert isinstance(response.output_parsed, Weather)
    called = client.responses.parse(model=MODEL, input="use get_weather", tools=[FUNCTION], tool_choice="required")
    assert called.output[0].parsed_arguments.keys() == {"city", "degrees"}


def test_background(client, stack):
    """A background response is retrieved until it is there."""
    stack.sandbox.behave("groq", latency_ms=300)
    response = client.responses.create(model=MODEL, input="later", background=True)
    assert response.status in ("queued", "in_progress")
    assert is_whole(response)
    for _ in range(100):
        response = client.responses.retrieve(response.id)
        if response.status not in ("queued", "in_progress"):
            break
        time.sleep(0.05)
    assert response.status == "completed"
    assert response.output_text.endswith("You said: later")


def test_cancel(client, stack):
    """A background response is cancelled."""
    stack.sandbox.behave("groq", latency_ms=8000)
    response = client.responses.create(model=MODEL, input="never", background=True)
    assert client.responses.cancel(response.id).status == "cancelled"
    assert client.responses.retrieve(response.id).status == "cancelled"


def test_previous_response(client):
    """A conversation goes on from a response's id, and its input can be listed, page by page."""
    first = client.responses.create(model=MODEL, input="one")
    second = client.responses.create(model=MODEL, input="two", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens > first.usage.input_tokens
    listed = list(client.responses.input_items.list(second.id, order="asc", limit=1))
    assert [item.role for item in listed] == ["user", "assistant", "user"]
    assert [item.content[0].text for item in listed] == ["one", first.output_text, "two"]


def test_delete(client):
    """A deleted response is not found."""
    response = client.responses.create(model=MODEL, input="forget me")
    assert client.responses.delete(response.id) is None
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(response.id)


def test_error_classes(client):
    """What cannot be served is the class, the field and the code that the client's users look at."""
    with pytest.raises(openai.BadRequestError) as raised:
        client.responses.create(model=MODEL, input="x", tools=[{"type": "web_search"}])
    assert (raised.value.param, raised.value.type) == ("tools[0].type", "invalid_request_error")
    with pytest.raises(openai.BadRequestError) as raised:
        client.responses.create(model=MODEL, input="x", previous_response_id="resp_nobody")
    assert raised.value.code == "previous_response_not_found"
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="nobody/nothing", input="x")
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="bad").responses.create(model=MODEL, input="x")


def test_stream(client):
    """The events come in order, numbered from 0, and make the answer."""
    events = list(client.responses.create(model=MODEL, input="hello", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == events[-1].response.output_text
    assert said.endswith("You said: hello")


def test_stream_helper(client):
    """The streaming helper assembles structured output and tool calls."""
    with client.responses.stream(model=MODEL, input="hello", text_format=Weather) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Weather)
    with client.responses.stream(model=MODEL, input="use get_weather", tools=[FUNCTION]) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_response()
    assert "response.function_call_arguments.delta" in kinds
    assert final.output[0].parsed_arguments.keys() == {"city", "degrees"}


def test_stream_again(client):
    """A background stream is taken up after the event that was seen last."""
    stream = client.responses.create(model=MODEL, input="hello", stream=True, background=True)
    seen = [next(stream) for _ in range(3)]
    stream.close()
    rest = client.responses.retrieve(seen[0].response.id, stream=True, starting_after=seen[-1].sequence_number)
    numbers = [event.sequence_number for event in (*seen, *rest)]
    assert numbers == list(range(len(numbers)))

"""OpenAI's own client against the running product, unmodified: its work on every provider's dialect."""

import asyncio

import openai
import pytest
from pydantic import BaseModel

from tests.support.stack import KEY

pytestmark = [pytest.mark.sdk, pytest.mark.integration]

MODELS = ("groq/openai/gpt-oss-20b", "google-gemini/gemini-2.5-flash", "hugging-face/openai/gpt-oss-20b")
HELLO = [{"role": "user", "content": "hello"}]


class Weather(BaseModel):
    city: str
    degrees: int


class Clock(BaseModel):
    city: str


TOOLS = [
    openai.pydantic_function_tool(Weather, name="get_weather"),
    openai.pydantic_function_tool(Clock, name="get_time"),
]


@pytest.fixture
def client(stack):
    with openai.OpenAI(base_url=f"{stack.api.url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


def test_completion(client, model):
    """A completion parses, and the headers around it are there to be read."""
    raw = client.chat.completions.with_raw_response.create(model=model, messages=HELLO)
    completion = raw.parse()
    assert completion.choices[0].message.content.endswith("You said: hello")
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0
    assert completion._request_id == raw.headers["x-request-id"]
    assert completion.routing_metadata["job_id"] == raw.headers["x-job-id"]


def test_async_completions(stack):
    """The asynchronous client's calls are answered each with its own answer."""

    async def ask():
        async with openai.AsyncOpenAI(base_url=f"{stack.api.url}/v1", api_key=KEY, max_retries=0) as client:
            calls = (
                client.chat.completions.create(model=MODELS[0], messages=[{"role": "user", "content": f"number {n}"}])
                for n in range(8)
            )
            return [completion.choices[0].message.content for completion in await asyncio.gather(*calls)]

    assert [text.rpartition(" ")[2] for text in asyncio.run(ask())] == [str(number) for number in range(8)]


def test_tools_go_round(client, model):
    """A tool call parses into the caller's class; returned as it came, with its result, it is answered."""
    asked = [{"role": "user", "content": "use get_weather"}]
    choice = client.chat.completions.parse(model=model, messages=asked, tools=TOOLS).choices[0]
    [call] = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert isinstance(call.function.parsed_arguments, Weather)
    # What the client's users send back is the message as the client dumps it.
    said = choice.message.model_dump(exclude={"parsed"}, exclude_none=True)
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    answer = client.chat.completions.create(model=model, messages=[*asked, said, result], tools=TOOLS)
    # Gemini is told {"output": "sunny"}.
    assert "sunny" in answer.choices[0].message.content.partition("The tool said: ")[2]


def test_parallel_tools(client, model):
    """Two calls in one answer have ids of their own."""
    asked = [{"role": "user", "content": "use get_weather and get_time"}]
    calls = client.chat.completions.parse(model=model, messages=asked, tools=TOOLS).choices[0].message.tool_calls
    assert [type(call.function.parsed_arguments) for call in calls] == [Weather, Clock]
    assert len({call.id for call in calls}) == 2


def test_structured_output(client, model):
    """`parse` gives an instance of the caller's class."""
    completion = client.chat.completions.parse(model=model, messages=HELLO, response_format=Weather)
    assert completion.choices[0].message.parsed == Weather(city="sample city", degrees=1)


def test_length_finish_is_the_clients_error(client):
    """`parse` of an answer that was cut by its limit raises the client's own error, with the completion."""
    with pytest.raises(openai.LengthFinishReasonError) as raised:
        client.chat.completions.parse(model=MODELS[0], messages=HELLO, response_format=Weather, max_tokens=1)
    assert raised.value.completion.usage.completion_tokens == 1


def test_models(client):
    """Models are listed, and any of them is shown by its id, slashes and all."""
    listed = [model.id for model in client.models.list()]
    assert set(MODELS) < set(listed)
    assert [client.models.retrieve(model).id for model in listed[:3]] == listed[:3]
    assert client.models.retrieve(MODELS[0]).object == "model"


def test_stream(client, model):
    """The streaming helper puts together the whole answer and its usage."""
    options = {"include_usage": True}
    with client.chat.completions.stream(model=model, messages=HELLO, stream_options=options) as stream:
        text = "".join(event.delta for event in stream if event.type == "content.delta")
        final = stream.get_final_completion()
    assert text == final.choices[0].message.content
    assert text.endswith("You said: hello")
    assert final.choices[0].finish_reason == "stop"
    assert final.usage.completion_tokens > 0


def test_streamed_parallel_tools(client, model):
    """The streaming helper puts together two tool calls from their pieces."""
    asked = [{"role": "user", "content": "use get_weather and get_time"}]
    with client.chat.completions.stream(model=model, messages=asked, tools=TOOLS) as stream:
        for _ in stream:
            pass
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert [type(call.function.parsed_arguments) for call in choice.message.tool_calls] == [Weather, Clock]


def test_async_stream(stack):
    """The asynchronous client's stream adds up to the answer."""

    async def ask():
        async with openai.AsyncOpenAI(base_url=f"{stack.api.url}/v1", api_key=KEY, max_retries=0) as client:
            chunks = await client.chat.completions.create(model=MODELS[0], messages=HELLO, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])

    assert asyncio.run(ask()).endswith("You said: hello")


def test_embeddings(client):
    """The client decodes the base64 that it asks for by itself."""
    answer = client.embeddings.create(model="gemini-embedding-001", input=["one", "two"])
    assert [item.index for item in answer.data] == [0, 1]
    assert len(answer.data[0].embedding) == len(answer.data[1].embedding) > 0
    assert answer.usage.total_tokens > 0

"""Google's own client against the sandbox, unmodified."""

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

pytestmark = pytest.mark.sdk

MODEL = "gemini-2.5-flash"
EMBEDDING_MODEL = "gemini-embedding-001"


class Weather(BaseModel):
    city: str
    degrees: int


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@pytest.fixture
def client(sandbox):
    options = types.HttpOptions(base_url=f"{sandbox.url}/google-gemini")
    with genai.Client(api_key="test", http_options=options, vertexai=False) as made:
        yield made


def ask(client, contents="hello", **config):
    return client.models.generate_content(
        model=MODEL, contents=contents, config=types.GenerateContentConfig(**config) if config else None
    )


def with_behaviour(**fields):
    return types.HttpOptions(extra_body={"sandbox": fields})


def test_chat(client):
    """A response parses, with its counts."""
    response = ask(client, system_instruction="be brief", temperature=0.5)
    assert response.text == f"[sandbox google-gemini/{MODEL}] You said: hello"
    assert response.usage_metadata.prompt_token_count == 4
    assert response.candidates[0].finish_reason == types.FinishReason.STOP


def test_usage_details(client):
    """Cached and thinking tokens are where the client looks for them."""
    usage = ask(client, http_options=with_behaviour(cached_tokens=1, reasoning_tokens=7)).usage_metadata
    assert (usage.cached_content_token_count, usage.thoughts_token_count) == (1, 7)


def test_stream(client):
    """A stream's text is the answer's."""
    chunks = list(client.models.generate_content_stream(model=MODEL, contents="hello"))
    assert len(chunks) > 5
    assert "".join(chunk.text for chunk in chunks) == ask(client).text
    assert chunks[-1].usage_metadata.total_token_count > 0


def test_chat_session(client):
    """A chat sends its history back in the form that is taken."""
    chat = client.chats.create(model=MODEL)
    chat.send_message("one")
    assert chat.send_message("two").text.endswith("You said: two")


def test_tools_are_called_by_the_client(client):
    """The client calls the caller's own function and sends its result back."""
    response = ask(client, "use get_weather", tools=[get_weather])
    assert response.text.endswith('The tool said: {"result": "sunny in sample city"}')


def test_declared_tools(client):
    """A declared function is called with arguments of its schema."""
    schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
    declaration = types.FunctionDeclaration(name="get_weather", parameters=schema)
    calling = types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
    response = ask(
        client,
        tools=[types.Tool(function_declarations=[declaration])],
        tool_config=types.ToolConfig(function_calling_config=calling),
    )
    assert [(call.name, call.args) for call in response.function_calls] == [("get_weather", {"city": "sample city"})]


def test_json_schema(client):
    """Structured output parses into the caller's own model."""
    response = ask(client, response_mime_type="application/json", response_schema=Weather)
    assert isinstance(response.parsed, Weather)


def test_json_schema_as_json(client):
    """A plain JSON schema is taken as well."""
    schema = Weather.model_json_schema()
    response = ask(client, response_mime_type="application/json", response_json_schema=schema)
    Weather.model_validate_json(response.text)


def test_image(client):
    """An image is taken and mentioned."""
    image = types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")
    assert ask(client, ["look", image]).text.endswith("(1 image)")


def test_embeddings(client):
    """Texts become vectors, in their order and as short as asked for, with their tokens counted."""
    config = types.EmbedContentConfig(output_dimensionality=64, task_type="RETRIEVAL_QUERY")
    answer = client.models.embed_content(model=EMBEDDING_MODEL, contents=["one", "two", "one"], config=config)
    first, second, third = (embedding.values for embedding in answer.embeddings)
    assert first == third != second
    assert len(first) == 64
    assert answer.usage_metadata.prompt_token_count == 3


def test_embeddings_in_too_large_a_batch(client):
    """More texts than a batch holds are refused as the vendor refuses them."""
    with pytest.raises(errors.ClientError, match="at most 100 requests"):
        client.models.embed_content(model=EMBEDDING_MODEL, contents=["x"] * 101)


def test_models(client):
    """Models are listed and shown."""
    assert f"models/{MODEL}" in {model.name for model in client.models.list()}
    assert client.models.get(model=MODEL).input_token_limit > 0


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (400, "INVALID_ARGUMENT", errors.ClientError),
        (403, "PERMISSION_DENIED", errors.ClientError),
        (429, "RESOURCE_EXHAUSTED", errors.ClientError),
        (503, "UNAVAILABLE", errors.ServerError),
    ],
)
def test_error_classes(client, code, status, error):
    """Each failing status is the class, and the status, that the client's users look for."""
    with pytest.raises(error) as raised:
        ask(client, http_options=with_behaviour(fault="status", status=code))
    assert (raised.value.code, raised.value.status) == (code, status)


def test_bad_key(sandbox):
    """A wrong key is a client error that says so."""
    options = types.HttpOptions(base_url=f"{sandbox.url}/google-gemini")
    with (
        genai.Client(api_key="bad", http_options=options, vertexai=False) as client,
        pytest.raises(errors.ClientError, match="API key not valid") as raised,
    ):
        ask(client)
    assert raised.value.code == 400


def test_unknown_model(client):
    """An unknown model is not found."""
    with pytest.raises(errors.ClientError, match="is not found for API version") as raised:
        client.models.generate_content(model="does-not-exist", contents="hello")
    assert raised.value.code == 404


def test_streamed_thoughts(client):
    """Thoughts are parts of their own, and the last part is signed."""
    config = types.GenerateContentConfig(
        http_options=types.HttpOptions(headers={"x-sandbox": '{"reasoning": "let me"}'})
    )
    chunks = list(client.models.generate_content_stream(model=MODEL, contents="hello", config=config))
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    assert "".join(part.text for part in parts if part.thought) == "let me"
    assert "".join(part.text for part in parts if not part.thought) == ask(client).text
    assert parts[-1].thought_signature

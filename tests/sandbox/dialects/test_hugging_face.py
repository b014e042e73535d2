"""What Hugging Face's router does differently from OpenAI."""

import json

from tests.sandbox.wire import chat, chat_body, send


def test_bare_schema_of_the_client_is_answered(sandbox):
    """huggingface_hub may send a schema as json_object's value."""
    wanted = {"type": "json_object", "value": {"type": "object", "properties": {"n": {"const": 4}}}}
    answer = chat(sandbox.url, "hugging-face", response_format=wanted).json
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"n": 4}


def test_path_of_one_model_is_served(sandbox):
    """The older path with the model in it works as well."""
    path = "/hugging-face/hf-inference/models/org/model/v1/chat/completions"
    assert send(sandbox.url, path, chat_body("hugging-face")).status == 200


def test_bad_field_is_refused_as_openai_would(sandbox):
    """The router copies OpenAI's refusals of fields."""
    error = chat(sandbox.url, "hugging-face", max_tokens="many").json["error"]
    assert (error["param"], error["code"]) == ("max_tokens", "invalid_type")

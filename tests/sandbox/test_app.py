"""What every provider's dialect has in common, over the wire."""

import json

import pytest

from tests.sandbox.wire import CHAT_PATHS, chat, chat_body, key_headers, send, text_of

PROVIDERS = tuple(CHAT_PATHS)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_answer_quotes_the_user_and_says_it_is_a_sandbox(sandbox, provider):
    """Every dialect's answer names the sandbox, provider and model, in its text and in a header."""
    answer = chat(sandbox.url, provider, "hello there")
    assert answer.status == 200
    assert answer.headers["x-sandbox"] == "1"
    model = "gemini-2.5-flash" if provider == "google-gemini" else "model-1"
    assert text_of(provider, answer) == f"[sandbox {provider}/{model}] You said: hello there"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_same_request_gets_the_same_text(sandbox, provider):
    """Answers are deterministic; only identifiers and times differ."""
    first, second = (text_of(provider, chat(sandbox.url, provider, "again")) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("provider", "status", "told"),
    [
        ("groq", 401, {"message": "Invalid API Key", "type": "invalid_request_error", "code": "invalid_api_key"}),
        ("openai", 401, {"type": "invalid_request_error", "code": "invalid_api_key", "param": None}),
        ("hugging-face", 401, "Invalid username or password."),
        ("anthropic", 401, {"type": "authentication_error", "message": "invalid x-api-key"}),
        ("google-gemini", 400, {"code": 400, "status": "INVALID_ARGUMENT"}),
    ],
)
def test_bad_key_is_refused_in_the_vendors_words(sandbox, provider, status, told):
    """A key that starts with `bad` gets the vendor's own refusal."""
    answer = chat(sandbox.url, provider, key="bad-key")
    error = answer.json["error"]
    assert answer.status == status
    assert error == told if isinstance(told, str) else error == {**error, **told}


@pytest.mark.parametrize(
    ("provider", "status"),
    [("groq", 401), ("openai", 401), ("hugging-face", 401), ("anthropic", 401), ("google-gemini", 403)],
)
@pytest.mark.parametrize("key", [None, ""])
def test_missing_key_is_refused(sandbox, provider, status, key):
    """No key, or a blank one, is refused with the vendor's status."""
    headers = {} if key is None else key_headers(provider, key)
    answer = send(sandbox.url, CHAT_PATHS[provider], chat_body(provider), headers=headers)
    assert answer.status == status
    assert "error" in answer.json


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/groq/openai/v1/nothing", 404, "unknown_url"),
        ("/openai/v1/nothing", 404, None),
        ("/anthropic/v1/nothing", 404, "not_found_error"),
        ("/hugging-face/v1/nothing", 404, None),
    ],
)
def test_unknown_path_is_the_vendors_404(sandbox, path, status, code):
    """A path the vendor has not gets its own 404 body."""
    answer = send(sandbox.url, path, {})
    error = answer.json["error"]
    assert answer.status == status
    if code is not None:
        assert code in (error.get("code"), error.get("type"))


def test_unknown_gemini_path_is_a_page(sandbox):
    """Google's front end answers an unknown path with HTML."""
    answer = send(sandbox.url, "/google-gemini/v1beta/nothing", {})
    assert answer.status == 404
    assert b"Error 404 (Not Found)!!1" in answer.body


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        (CHAT_PATHS["groq"], {"model": "does-not-exist"}, 404, "model_not_found"),
        (CHAT_PATHS["openai"], {"model": "does-not-exist"}, 404, "model_not_found"),
        (CHAT_PATHS["hugging-face"], {"model": "does-not-exist"}, 400, "model_not_found"),
        (CHAT_PATHS["anthropic"], {"model": "does-not-exist"}, 404, "not_found_error"),
        ("/google-gemini/v1beta/models/does-not-exist:generateContent", {}, 404, "NOT_FOUND"),
    ],
)
def test_unknown_model_is_the_vendors_refusal(sandbox, path, body, status, told):
    """The model `does-not-exist` is refused as the vendor refuses an unknown one."""
    answer = send(sandbox.url, path, chat_body(path.split("/")[1]) | body)
    assert answer.status == status
    assert told in json.dumps(answer.json)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b"[" * 100_000], ids=["cut", "empty", "not-utf8", "deep"])
def test_broken_json_is_a_400(sandbox, provider, body):
    """A body that is not JSON gets the vendor's 400, however broken it is."""
    answer = send(sandbox.url, CHAT_PATHS[provider], body)
    assert answer.status == 400
    assert "error" in answer.json


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"1", b"{}"])
def test_other_json_than_a_request_is_a_400(sandbox, provider, body):
    """JSON that is no request gets the vendor's 400."""
    answer = send(sandbox.url, CHAT_PATHS[provider], body)
    assert answer.status == 400
    assert "error" in answer.json


@pytest.mark.parametrize("provider", ["groq", "openai", "anthropic", "google-gemini"])
def test_text_with_odd_characters_survives(sandbox, provider):
    """NUL, emoji and a lone surrogate come back as they were sent."""
    text = "a\x00b \U0001f600 \ud800 é"
    assert text_of(provider, chat(sandbox.url, provider, text)).endswith(text)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_prompt_over_the_context_is_refused(sandbox, provider):
    """A behaviour's context_length refuses longer prompts as the vendor does."""
    sandbox.behave(provider, context_length=10)
    answer = chat(sandbox.url, provider, "x" * 100)
    assert answer.status == 400
    if provider in ("groq", "openai"):
        assert answer.json["error"]["code"] == "context_length_exceeded"
    assert chat(sandbox.url, provider, "x" * 40).status == 200


def test_no_provider_is_told_how_to_name_one(sandbox):
    """The root path says what a path begins with."""
    answer = send(sandbox.url, "/", {}, headers={})
    assert answer.status == 404
    assert "name a provider" in answer.json["error"]["message"]


def test_unknown_provider_speaks_openai(sandbox):
    """Any other provider's name is an OpenAI-compatible server, also one that knows more fields."""
    answer = send(sandbox.url, "/some-new-one/api/v9/chat/completions", chat_body("openai", safe_prompt=True))
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"].startswith("[sandbox some-new-one/model-1]")


def test_body_behaviour_is_taken_out_before_validation(sandbox):
    """Strict dialects never see the body's `sandbox` field."""
    for provider in ("groq", "google-gemini", "anthropic", "openai"):
        answer = chat(sandbox.url, provider, sandbox={"text": "as told"})
        assert text_of(provider, answer) == "as told"


def test_header_behaviour_goes_over_the_bodys(sandbox):
    """The header's fields win, the body's others stay."""
    headers = key_headers("groq") | {"x-sandbox": '{"text": "from the header"}'}
    body = chat_body("groq", sandbox={"text": "from the body", "cached_tokens": 1})
    answer = send(sandbox.url, CHAT_PATHS["groq"], body, headers=headers)
    assert text_of("groq", answer) == "from the header"
    assert answer.json["usage"]["prompt_tokens_details"]["cached_tokens"] == 1


@pytest.mark.parametrize(
    ("headers", "fields", "param"),
    [
        ({"x-sandbox": "{"}, {}, "x-sandbox"),
        ({"x-sandbox": '{"latencyms": 1}'}, {}, "latencyms"),
        ({}, {"sandbox": {"fault": "explode"}}, "fault"),
        ({}, {"sandbox": []}, "behaviour"),
    ],
)
def test_malformed_behaviour_is_the_sandboxs_own_400(sandbox, headers, fields, param):
    """A request's behaviour that cannot be understood is refused, naming the field."""
    answer = send(sandbox.url, CHAT_PATHS["groq"], chat_body("groq", **fields), headers=key_headers("groq") | headers)
    assert answer.status == 400
    assert answer.json["error"]["type"] == "sandbox_error"
    assert answer.json["error"]["param"] == param

"""What a caller can get wrong: OpenAI's error each time, never a 500, and no job left behind."""

import socket

import pytest

from tests.support.stack import KEY, chat, dump

pytestmark = pytest.mark.integration
HEADERS = {"Content-Type": "application/json"}
IMAGE = {"type": "image_url", "image_url": {"url": "ftp://example.com/cat.png"}}


def message(**fields):
    """A request with this one message."""
    return {"model": "fast", "messages": [fields]}


@pytest.fixture
def unchanged(stack):
    """No job may appear during the test."""
    before = stack.job_count()
    yield stack
    assert stack.job_count() == before
    assert stack.sandbox.calls()["total"] == 0


def check_error(response, status, param=None, code=None):
    """OpenAI's form, all four keys."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]
    assert error["type"] == "invalid_request_error"
    if param is not None:
        assert error["param"] == param
    if code is not None:
        assert error["code"] == code


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"not json",
        b"{",
        b'{"model": "fast", "messages": [}',
        b'"text"',
        b"[]",
        b"null",
        b'{"model": "fast", "temperature": NaN}',
        b'{"model": "fast", "temperature": 1e999}',
        b'{"model": "fast", "seed": ' + b"9" * 5000 + b"}",
        b'\xff\xfe{"model": 1}',
        b'{"model": "fast", "messages": [{"role": "user", "content": "\xc3("}]}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"model": "fast", "messages": [{"role": "user", "content": "x"}], "x": ' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"model": "fast", "messages": [{"role": "user", "content": "nul \\u0000"}]}',
        b'{"model": "fast", "messages": [{"role": "user", "content": "half \\ud800"}]}',
        b'{"model": "fast", "messages": [{"role": "user", "content": "x"}], "\\udfff": 1}',
        b'{"model": "fast\\u0000", "messages": [{"role": "user", "content": "x"}]}',
    ],
    ids=range(20),
)
def test_a_body_that_is_not_sound_json_is_400(unchanged, raw):
    """Broken, oversized, unstorable or too deep: a clear 400."""
    check_error(unchanged.session.post(f"{unchanged.api.url}/v1/chat/completions", data=raw, headers=HEADERS), 400)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"model": "fast"}, "messages"),
        ({"messages": [{"role": "user", "content": "x"}]}, "model"),
        ({"model": 5, "messages": [{"role": "user", "content": "x"}]}, "model"),
        ({"model": "", "messages": [{"role": "user", "content": "x"}]}, "model"),
        ({"model": "fast", "messages": []}, "messages"),
        ({"model": "fast", "messages": "hello"}, "messages"),
        ({"model": "fast", "messages": ["hello"]}, "messages[0]"),
        ({"model": "fast", "messages": [{"role": "user", "content": "x"}] * 5000}, "messages"),
        (message(role="robot", content="x"), "messages[0].role"),
        (message(content="x"), "messages[0].role"),
        (message(role="user"), "messages[0].content"),
        (message(role="user", content=5), "messages[0].content"),
        (message(role="user", content=[]), "messages[0].content"),
        (message(role="user", content=[{"text": "x"}]), "messages[0].content[0]"),
        (message(role="user", content=[IMAGE]), "messages[0].content[0]"),
        (message(role="tool", content="x"), "messages[0].tool_call_id"),
        (message(role="assistant"), "messages[0].content"),
        (message(role="assistant", tool_calls=[{"id": "a"}]), "messages[0].tool_calls[0].function"),
        (chat(temperature="hot"), "temperature"),
        (chat(temperature=3), "temperature"),
        (chat(temperature=True), "temperature"),
        (chat(max_tokens=0), "max_tokens"),
        (chat(max_tokens=1.5), "max_tokens"),
        (chat(max_tokens="5"), "max_tokens"),
        (chat(n=0), "n"),
        (chat(stop=5), "stop"),
        (chat(stop=["x"] * 17), "stop"),
        (chat(tools=[{}]), "tools[0].type"),
        (chat(tools=[{"type": "function", "function": {}}]), "tools[0].function.name"),
        (chat(tool_choice="maybe"), "tool_choice"),
        (chat(response_format={"type": "yaml"}), "response_format.type"),
        (chat(response_format={"type": "json_schema"}), "response_format.json_schema"),
        (chat(deadline_s=-1), "deadline_s"),
        (chat(deadline_s=0), "deadline_s"),
        (chat(deadline_s="soon"), "deadline_s"),
        (chat(webhook_url="not a url"), "webhook_url"),
        (chat(webhook_url="ftp://example.com/"), "webhook_url"),
        (chat(webhook_url=5), "webhook_url"),
        (chat(service_tier="vip"), "service_tier"),
        (chat(on_disconnect="explode"), "on_disconnect"),
        (chat(background="yes"), "background"),
        (chat(stream="yes"), "stream"),
        (chat(stream=True, stream_options=1), "stream_options"),
        (chat(stream=True, stream_options={"include_usage": "yes"}), "stream_options.include_usage"),
        (chat(continue_on_failover="yes"), "continue_on_failover"),
        (chat(models="fast"), "models"),
        (chat(routing_policy="cheapest-ever"), "routing_policy"),
        (chat(provider="groq"), "provider"),
        (chat(provider=[]), "provider"),
        (chat(provider={"order": "groq"}), "provider.order"),
        (chat(provider={"order": ["groq", 5]}), "provider.order[1]"),
        (chat(provider={"only": [""]}), "provider.only[0]"),
        (chat(provider={"only": {"groq": True}}), "provider.only"),
        (chat(provider={"ignore": ["x"] * 65}), "provider.ignore"),
        (chat(provider={"allow_fallbacks": "no"}), "provider.allow_fallbacks"),
        (chat(provider={"require_parameters": 1}), "provider.require_parameters"),
        (chat(provider={"data_collection": "never"}), "provider.data_collection"),
        (chat(provider={"sort": "cheapest"}), "provider.sort"),
        (chat(provider={"sort": ["price"]}), "provider.sort"),
        (chat(provider={"sort": {"by": "cheapest"}}), "provider.sort.by"),
        (chat(provider={"sort": {"by": "price", "partition": "some"}}), "provider.sort.partition"),
        (chat(provider={"max_price": 5}), "provider.max_price"),
        (chat(provider={"max_price": {"prompt": "cheap"}}), "provider.max_price.prompt"),
        (chat(provider={"max_price": {"prompt": "NaN"}}), "provider.max_price.prompt"),
        (chat(provider={"max_price": {"prompt": "9" * 10**6}}), "provider.max_price.prompt"),
        (chat(provider={"max_price": {"completion": -1}}), "provider.max_price.completion"),
        (chat(provider={"max_price": {"completion": 10**400}}), "provider.max_price.completion"),
        (chat(provider={"max_price": {"request": True}}), "provider.max_price.request"),
        (chat(provider={"preferred_max_latency": 0}), "provider.preferred_max_latency"),
        (chat(provider={"preferred_max_latency": 10**400}), "provider.preferred_max_latency"),
        (chat(provider={"preferred_max_latency": {"p90": "1"}}), "provider.preferred_max_latency.p90"),
        (chat(provider={"preferred_min_throughput": {"p42": 1}}), "provider.preferred_min_throughput.p42"),
        (chat(provider={"zdr": True}), "provider.zdr"),
        (chat(provider={"quantizations": ["fp8"]}), "provider.quantizations"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_of_the_wrong_kind_is_400_and_named(unchanged, body, param):
    """The first field at fault is named, with what was expected."""
    check_error(unchanged.post(body), 400, param=param)


def test_an_unknown_model_is_404_with_the_nearest(unchanged):
    """A misspelt model is not found, and the message says what was perhaps meant."""
    response = unchanged.post(chat(model="gpt-3.5-turb"))
    check_error(response, 404, param="model", code="model_not_found")
    assert "gpt-3.5-turbo" in response.json()["error"]["message"]


def test_a_model_nobody_may_serve_is_400_with_the_reasons(unchanged):
    """A deployment the tenant may not use is not tried; the reason is told."""
    response = unchanged.post(chat(model="anthropic/claude-haiku-4-5"))
    check_error(response, 400, code="no_candidates")
    assert "not among the tenant's providers" in response.json()["error"]["message"]


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer wrong", "Basic YWs6", f"Bearer {KEY}x", "Bearer \u00e9"])
def test_an_unknown_key_is_401(unchanged, key):
    """No key, another scheme or a wrong key: 401, before anything is read."""
    response = unchanged.post(chat(), headers={"Authorization": key.encode("latin-1")})
    check_error(response, 401, code="invalid_api_key")


def test_a_body_over_the_limit_is_413(unchanged):
    """A body larger than the limit is refused by its length."""
    response = unchanged.post(chat("x" * (21 * 1024 * 1024)))
    check_error(response, 413, code="request_too_large")


def test_a_truncated_body_is_400_or_closed(unchanged):
    """A body that ends early leaves no job."""
    with socket.create_connection(("127.0.0.1", unchanged.api.port), timeout=30) as connection:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        connection.sendall(f'{head}Content-Length: 1000\r\n\r\n{{"model":'.encode())
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert answer == b"" or b" 400 " in answer.splitlines()[0]


@pytest.mark.parametrize("key", ["two words", "x" * 256, "\u00e9"])
def test_an_idempotency_key_that_is_none_is_400(unchanged, key):
    """A key that could be mistaken is refused."""
    check_error(unchanged.post(chat(), headers={"Idempotency-Key": key.encode("latin-1")}), 400)


@pytest.mark.parametrize("wait", ["soon", "-1", "nan", "inf", "1e99"])
def test_a_wait_that_is_no_time_is_400(unchanged, wait):
    """A wait is a number of seconds."""
    check_error(unchanged.post(chat(), headers={"Prefer": f"wait={wait}"}), 400)


@pytest.mark.parametrize("job_id", ["job_unknown", "job_" + "0" * 32, "x" * 500, "%00", "..%2f..%2fetc"])
def test_an_unknown_job_is_404(unchanged, job_id):
    """A job that is not there is not found, whatever its id looks like."""
    check_error(unchanged.get(f"/v1/jobs/{job_id}"), 404)


def test_another_tenants_job_is_404(stack):
    """A job of another tenant is told apart from no job by nobody."""
    job_id = stack.post(chat("secret")).headers["X-Job-Id"]
    rival = {"Authorization": "Bearer ak-rival"}
    theirs = stack.get(f"/v1/jobs/{job_id}", headers=rival)
    missing = stack.get("/v1/jobs/job_" + "0" * 32, headers=rival)
    assert theirs.status_code == missing.status_code == 404
    assert stack.post(path=f"/v1/jobs/{job_id}/cancel", headers=rival).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/chat/completions", 405), ("POST", "/v1/nothing", 404), ("GET", "/", 404)],
)
def test_unknown_paths_and_methods_answer_in_the_same_form(unchanged, method, path, status):
    """Even a wrong URL is answered as an OpenAI client expects."""
    check_error(unchanged.session.request(method, f"{unchanged.api.url}{path}"), status)


def test_an_event_that_is_no_number_is_400_when_a_stream_is_asked_for_again(stack):
    """Whoever comes back with a key that is known, and does not know where it was, is told so."""
    again = {"Idempotency-Key": "comes-back", "Last-Event-ID": "the last one"}
    assert stack.post(chat(stream=True), headers={"Idempotency-Key": "comes-back"}).status_code == 200
    check_error(stack.post(chat(stream=True), headers=again), 400, param="Last-Event-ID")


def test_a_wrong_method_is_told_the_right_ones(unchanged):
    """405 names the methods there are, in the Allow header and in words."""
    response = unchanged.session.put(f"{unchanged.api.url}/v1/chat/completions")
    check_error(response, 405, code="method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert "POST" in response.json()["error"]["message"]
    assert unchanged.session.head(f"{unchanged.api.url}/v1/chat/completions").status_code == 405


def test_options_are_told_without_a_body(unchanged):
    """OPTIONS needs no key and says what a URL takes."""
    response = unchanged.session.options(f"{unchanged.api.url}/v1/models", headers={"Authorization": ""})
    assert (response.status_code, response.content) == (204, b"")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert "Content-Type" not in response.headers


def test_head_is_get_without_the_body(unchanged):
    """Monitors may ask by HEAD."""
    response = unchanged.session.head(f"{unchanged.api.url}/health")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings", "/v1/routing/plan"])
def test_a_body_that_is_said_to_be_no_json_is_415(unchanged, path, kind):
    """The header that is needed is named."""
    response = unchanged.session.post(f"{unchanged.api.url}{path}", data=dump(chat()), headers={"Content-Type": kind})
    check_error(response, 415, code="unsupported_content_type")
    assert "Content-Type: application/json" in response.json()["error"]["message"]


@pytest.mark.parametrize("kind", [None, "application/json; charset=utf-8", "Application/JSON", "application/x+json"])
def test_a_body_that_is_json_by_another_name_is_taken(stack, kind):
    """Parameters, capitals and suffixes are JSON too, and so is what is not said to be anything."""
    headers = {} if kind is None else {"Content-Type": kind}
    assert stack.session.post(f"{stack.api.url}/v1/chat/completions", data=dump(chat()), headers=headers).ok


def test_unknown_fields_pass_through(stack):
    """A field we do not know is the provider's business and reaches it."""
    body = stack.post(chat("Hi.", sandbox={"text": "passed through"})).json()
    assert body["choices"][0]["message"]["content"] == "passed through"


def test_nulls_stand_for_absent(stack):
    """Clients that send every optional field as null are served."""
    nulls = dict.fromkeys(
        (
            "temperature",
            "max_tokens",
            "stop",
            "tools",
            "tool_choice",
            "response_format",
            "n",
            "seed",
            "webhook_url",
            "service_tier",
            "deadline_s",
        )
    )
    assert stack.post(chat(**nulls)).status_code == 200

"""What every answer tells browsers, and which web pages may call."""

import pytest

from api.app import create_app
from api.refusal import OWN_FAULT, page
from api.security_headers import ALWAYS, UNLESS_SAID
from config.settings import SettingError, Settings
from tests.support.raw_http import parse
from tests.support.services import bare_services

ORIGIN = {"Origin": "https://app.example.com"}
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, x-stainless-os",
}


def client(**environment):
    """A caller of the application under these settings."""
    settings = Settings.from_environment(environment)
    return create_app(bare_services(settings)).test_client()


def granted(response):
    """What CORS allows by this answer."""
    return {name for name, _ in response.headers if name.startswith("Access-Control-")}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/livez", 200),
        ("GET", "/docs", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/chat/completions", 401),
        ("GET", "/v1/jobs/job_x", 401),
        ("OPTIONS", "/v1/chat/completions", 204),
        ("GET", "/v1/models", 500),
    ],
)
def test_every_answer_has_them(method, path, status):
    """Pages, data, errors, also our own faults: each header once, none that names us."""
    headers = {"Authorization": "Bearer x"} if status == 500 else {}
    response = client().open(path, method=method, headers=headers)
    assert response.status_code == status
    for name, value in ALWAYS:
        assert response.headers.getlist(name) == [value]
    for name, _ in UNLESS_SAID:
        assert len(response.headers.getlist(name)) == 1
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in response.headers
    assert not {"Server", "X-Powered-By"} & set(response.headers.keys())
    if path not in ("/docs", "/openapi.json"):
        assert response.headers["Cache-Control"] == "no-store"


def test_tls_is_insisted_on_where_it_is_spoken():
    """HSTS comes with a request over TLS, and always where a proxy is said to end it."""
    name = "Strict-Transport-Security"
    assert "max-age" in client().get("/livez", base_url="https://router.example.com").headers[name]
    assert "max-age" in client(MODEL_ROUTER_BEHIND_TLS="1").get("/livez").headers[name]


def test_a_page_for_what_is_no_request_has_them_too():
    """An answer that no application made: the same headers, our form of errors, and the connection ends."""
    answer = parse(page(*OWN_FAULT))
    assert answer.status == 500
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}
    assert answer.headers["connection"] == "close"
    for name, value in (*ALWAYS, *UNLESS_SAID):
        assert answer.headers[name.lower()] == value


def test_no_web_page_may_call_by_default():
    """Without the setting nothing is granted to any origin."""
    assert granted(client().get("/livez", headers=ORIGIN)) == set()
    assert granted(client().options("/v1/chat/completions", headers=PREFLIGHT)) == set()


@pytest.mark.parametrize(
    "origins", ["https://app.example.com", "https://other.example.com https://app.example.com", "*"]
)
def test_an_origin_that_is_named_may_call(origins):
    """The question before needs no key; answers may be read, errors too, with our headers; never with credentials."""
    caller = client(MODEL_ROUTER_CORS_ORIGINS=origins)
    asked = caller.options("/v1/chat/completions", headers=PREFLIGHT)
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Headers"] == "authorization, x-stainless-os"
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    for answer in (asked, caller.post("/v1/chat/completions", headers=ORIGIN), caller.get("/nowhere", headers=ORIGIN)):
        assert answer.headers["Access-Control-Allow-Origin"] == ("*" if origins == "*" else ORIGIN["Origin"])
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "X-Job-Id" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "https://app.example.com.evil.com", ""])
def test_another_origin_may_not(origin):
    """What is not in the list gets no grant, and is told so by silence."""
    caller = client(MODEL_ROUTER_CORS_ORIGINS="https://app.example.com")
    assert granted(caller.get("/livez", headers={"Origin": origin})) == set()
    assert granted(caller.options("/v1/models", headers={**PREFLIGHT, "Origin": origin})) == set()


def test_the_admin_api_is_for_no_web_page():
    """Not even where every origin may call."""
    caller = client(MODEL_ROUTER_CORS_ORIGINS="*")
    assert granted(caller.options("/admin/v1/tenants", headers=PREFLIGHT)) == set()


@pytest.mark.parametrize(
    "origins", ["app.example.com", "https://app.example.com/", "https://a.com/path", "HTTPS://A.COM"]
)
def test_what_is_no_origin_is_refused_at_the_start(origins):
    """An origin that no browser would send is an error that names the variable."""
    with pytest.raises(SettingError, match="MODEL_ROUTER_CORS_ORIGINS"):
        Settings.from_environment({"MODEL_ROUTER_CORS_ORIGINS": origins})

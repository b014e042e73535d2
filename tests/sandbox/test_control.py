"""The sandbox's own routes."""

import pytest

from tests.sandbox.wire import send


def control(sandbox, method, path, body=None):
    return send(sandbox.url, "/_sandbox" + path, body, headers={}, method=method)


def test_health(sandbox):
    """The health route answers."""
    assert control(sandbox, "GET", "/health").json == {"status": "ok"}


def test_behaviour_is_set_shown_replaced_and_deleted(sandbox):
    """PUT replaces, GET shows what was given, DELETE forgets."""
    path = "/groq/behaviour"
    assert control(sandbox, "GET", path).json == {}
    assert control(sandbox, "PUT", path, {"latency_ms": 5.0}).json == {"latency_ms": 5.0}
    control(sandbox, "PUT", path, {"text": "x"})
    assert control(sandbox, "GET", path).json == {"text": "x"}
    assert control(sandbox, "DELETE", path).json == {}
    assert control(sandbox, "GET", path).json == {}


def test_deleting_everyones_behaviour_deletes_all(sandbox):
    """DELETE of `*` forgets every provider's as well."""
    sandbox.behave("groq", text="x")
    control(sandbox, "DELETE", "/*/behaviour")
    assert control(sandbox, "GET", "/groq/behaviour").json == {}


def test_one_key_may_be_treated_apart(sandbox):
    """What is set for a key holds for its calls and listings alone, over what holds for its provider."""
    sandbox.behave("groq", text="for all")
    sandbox.behave_with("groq", "tired", fault="status", status=401)
    body = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}

    def statuses(key):
        headers = {"authorization": f"Bearer {key}"}
        chat = send(sandbox.url, "/groq/openai/v1/chat/completions", body, headers=headers)
        return chat.status, send(sandbox.url, "/groq/openai/v1/models", headers=headers, method="GET").status

    assert statuses("tired") == (401, 401)
    assert statuses("fresh") == (200, 200)
    assert [call["key"] for call in sandbox.calls(log=True)["log"]] == ["tired", "fresh"]
    control(sandbox, "DELETE", "/groq/keys/tired/behaviour")
    assert statuses("tired") == (200, 200)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"speed": 1}, "invalid_behaviour", "speed"),
        ({"limits": {"rpm": 1}}, "invalid_behaviour", "limits.rpm"),
        ({"fault": "status"}, "invalid_behaviour", "status"),
        ([], "invalid_behaviour", "behaviour"),
        (b"{", "invalid_json", None),
        (b"[" * 100_000, "invalid_json", None),
    ],
)
def test_malformed_behaviour_is_a_400_and_changes_nothing(sandbox, body, code, param):
    """What cannot be understood is refused by name, and what stood before stands."""
    sandbox.behave("groq", text="stays")
    answer = control(sandbox, "PUT", "/groq/behaviour", body)
    assert answer.status == 400
    assert (answer.json["error"]["code"], answer.json["error"]["param"]) == (code, param)
    assert control(sandbox, "GET", "/groq/behaviour").json == {"text": "stays"}


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("POST", "/calls"), ("GET", ""), ("PATCH", "/a/b")])
def test_unknown_route_lists_the_known_ones(sandbox, method, path):
    """An unknown control route says what there is."""
    answer = control(sandbox, method, path)
    assert answer.status == 404
    assert "{provider}/behaviour" in answer.json["error"]["message"]

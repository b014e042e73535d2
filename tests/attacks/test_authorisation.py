"""Every route with every kind of caller, from the application's own table of routes."""

import re
from dataclasses import fields

import pytest
import requests

from api.app import create_app
from api.services import Services
from config.settings import Settings
from tests.attacks.authorisation import EXPECTED, ROUTES, Access, as_expected

pytestmark = pytest.mark.integration
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def routes():
    """The method and rule of each route there is."""
    app = create_app(Services(Settings(), *[None] * (len(fields(Services)) - 1)))
    return {(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods - {"HEAD", "OPTIONS"}}


# The entries of the routes there are, and those of routes that should be there.


def ask(stack, method, path, route, key):
    """The status that a caller with `key` meets."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    given = {"data": route.body, "files": {"file": ("x.jsonl", route.file)}} if route.file else {"json": route.body}
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, stack.api.url + path, headers=headers, timeout=30, **given).status_code


def test_every_route_has_an_entry():
    """A new route without one fails here, and so does an entry of a route that is no more."""
    assert routes() == set(ROUTES)


@pytest.mark.parametrize(("method", "rule"), ROUTES, ids=[" ".join(route) for route in ROUTES])
def test_a_route_serves_whom_it_is_for(stack, callers, things, method, rule):
    """Strangers 401, other tenants 404 and never 403, tenants at the admin API 403; the owner last, whom it serves."""
    route = ROUTES[method, rule]
    path = _PARAMETER.sub(lambda found: things.make(found[1]), rule)
    met = {name: ask(stack, method, path, route, key) for name, key in callers.items() if name != "tenant"}
    met["tenant"] = ask(stack, method, path, route, callers["tenant"])
    assert {name: status for name, status in met.items() if not as_expected(route, name, status)} == {}


def test_the_table_says_something_of_everybody():
    """Each kind of route has an expectation for each kind of caller."""
    assert EXPECTED.keys() == set(Access)
    assert len({frozenset(by_caller) for by_caller in EXPECTED.values()}) == 1


@pytest.mark.parametrize(
    "header",
    [
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YWstZGVtbzEyMzo="},
        {"Authorization": "ak-demo123"},
        {"Authorization": "Bearer ak-demo12"},
        {"Authorization": "Bearer ak-demo1234"},
        {"Authorization": "Bearer AK-DEMO123"},
        {"Authorization": "Bearer ak-demo123,ak-rival"},
        {"Authorization": "Bearer ak-demo123\xff"},
        {"Authorization": "Bearer *"},
        {"X-Api-Key": "ak-demo12"},
        {"Cookie": "key=ak-demo123"},
        {"X-Forwarded-User": "default"},
        {"X-Tenant-Id": "default"},
    ],
    ids=lambda header: str(header)[:50],
)
def test_what_is_nearly_a_key_is_none(stack, header):
    """Prefixes, other cases, other schemes, lists and headers of proxies open nothing."""
    with requests.Session() as session:
        session.trust_env = False
        headers = {name: value.encode("latin-1") for name, value in header.items()}
        assert session.get(f"{stack.api.url}/v1/models", headers=headers, timeout=30).status_code == 401


def test_a_key_in_the_url_is_none(stack):
    """Addresses end in logs and histories: a key there is not read."""
    with requests.Session() as session:
        session.trust_env = False
        for name in ("key", "api_key", "api-key", "access_token"):
            assert session.get(f"{stack.api.url}/v1/models?{name}=ak-demo123", timeout=30).status_code == 401

"""Claims about the tables of dropped and refused fields: they hold, and docs/providers.md prints them."""

import json
from pathlib import Path

import pytest

from routing.errors import NotExpressible
from routing.request_fields import ROUTER_FIELDS
from workers.providers.base import Account
from workers.providers.registry import DIALECTS, adapter

DOCUMENT = Path(__file__).parents[3] / "docs" / "providers.md"
WITH_TABLES = [name for name, dialect in DIALECTS.items() if dialect.DROPPED or dialect.REFUSED]
# A value of each field that asks for something.
ASKED = {
    "n": 2,
    "logprobs": True,
    "top_logprobs": 2,
    "modalities": ["text", "audio"],
    "functions": [{"name": "f"}],
    "parallel_tool_calls": False,
}
REQUEST = {
    "messages": [{"role": "user", "content": "Hi"}],
    "tools": [{"type": "function", "function": {"name": "f"}}],
}


def provider(dialect):
    return adapter(Account("x", "https://example.test/v1"), dialect)


@pytest.mark.parametrize(
    ("dialect", "name"), [(dialect, name) for dialect in DIALECTS for name in DIALECTS[dialect].REFUSED]
)
def test_refused(dialect, name):
    """Each refused field is refused by its name, and null never is."""
    with pytest.raises(NotExpressible) as caught:
        provider(dialect).call("m", {**REQUEST, name: ASKED.get(name, "x")})
    assert caught.value.param == name
    assert name not in json.loads(provider(dialect).call("m", {**REQUEST, name: None}).body)


@pytest.mark.parametrize(
    ("dialect", "name"), [(dialect, name) for dialect in DIALECTS for name in DIALECTS[dialect].DROPPED]
)
def test_dropped(dialect, name):
    """Each dropped field leaves the call as it is without it."""
    without = provider(dialect).call("m", REQUEST)
    assert provider(dialect).call("m", {**REQUEST, name: 1}).body == without.body


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_tables_do_not_overlap(dialect):
    """A field has one rule: ours, dropped or refused."""
    dropped, refused = DIALECTS[dialect].DROPPED.keys(), DIALECTS[dialect].REFUSED.keys()
    assert not dropped & refused
    assert not ROUTER_FIELDS & (dropped | refused)


def table(dialect):
    """The dialect's rules as docs/providers.md prints them."""
    rows = [("dropped", DIALECTS[dialect].DROPPED), ("refused", DIALECTS[dialect].REFUSED)]
    lines = [f"| {rule} | `{name}` | {why} |" for rule, fields in rows for name, why in sorted(fields.items())]
    return "\n".join(["| rule | field | why |", "| --- | --- | --- |", *lines])


@pytest.mark.parametrize("dialect", WITH_TABLES)
def test_document(dialect):
    """docs/providers.md prints each dialect's tables as they are."""
    assert table(dialect) in DOCUMENT.read_text()

"""What is logged stands in one list, and the list in the docs."""

import ast
import re

from config.log_events import EVENTS
from config.settings import PROJECT_ROOT

_METHODS = {"debug", "info", "warning", "error", "exception"}


def logged():
    """The first word of each call of a logger, where it stands."""
    for package in ("api", "workers", "cli", "routing", "config"):
        for file in sorted((PROJECT_ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in _METHODS
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id in ("log", "_log")
                ):
                    yield file.relative_to(PROJECT_ROOT), node.args[0]


def test_every_event_is_a_constant_of_the_list():
    """Nothing is logged under a name that is not explained, and nothing is explained that is not logged."""
    found = set()
    for file, name in logged():
        assert isinstance(name, ast.Constant), file
        assert name.value in EVENTS, (file, name.value)
        found.add(name.value)
    assert found == set(EVENTS) - {"library"}


def test_the_docs_have_the_list():
    """Each event with its meaning."""
    text = (PROJECT_ROOT / "docs" / "monitoring.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (.+) \|$", text, re.MULTILINE))
    assert {name: rows.get(name) for name in EVENTS} == dict(EVENTS)

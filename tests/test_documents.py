"""What the documents name exists: files, make targets, commands, links."""

import json
import re
from pathlib import Path

import pytest

from cli.main import main

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PATH = re.compile(r"`((?:api|cli|config|routing|sandbox|workers|tests|benchmarks|docs|deploy)/[\w./-]*\w)[`:]")


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def page(request):
    return request.param


def test_links_lead_somewhere(page):
    """A relative link of a page leads to a file."""
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_named_files_exist(page):
    """A path in code quotes is a file or folder of the project."""
    for path in PATH.findall(page.read_text()):
        assert (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), path


def test_named_make_targets_exist(page):
    """`make X` is something make knows."""
    for target in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE):
        assert target in TARGETS, target


def test_named_commands_exist(page):
    """`model-router X` is a command."""
    for command in re.findall(r"`model-router ([a-z]+(?:-[a-z]+)*)", page.read_text()):
        assert command in main.commands, command


def locked_versions():
    """Each client package with the versions that the lock files have of it."""
    locks = (ROOT / "requirements-dev.lock", *(ROOT / "tests/sdk/clients").glob("*.lock"))
    found = [pin for lock in locks for pin in re.findall(r"^([\w-]+)==([\w.]+)", lock.read_text(), re.MULTILINE)]
    for path, package in json.loads((ROOT / "tests/sdk/node/package-lock.json").read_text())["packages"].items():
        found.append((path.removeprefix("node_modules/"), package.get("version")))
    return set(found)


def test_clients_are_named_with_the_version_that_is_tested():
    """The README's table of clients has the versions of the lock files."""
    table = (ROOT / "README.md").read_text().partition("## Clients")[2].partition("\n## ")[0]
    rows = [row.split(" | ") for row in re.findall(r"^\| (`.*) \|$", table, re.MULTILINE)]
    named = [pin for row in rows for pin in zip(re.findall(r"`(.*?)`", row[0]), row[1].split(", "), strict=True)]
    assert len(rows) >= 7
    assert set(named) <= locked_versions()

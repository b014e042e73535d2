"""The house's rules, read from the source: imports go down only, and modules stay small."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# From the ground up: a layer imports itself and those before it.
LAYERS = ("config", "routing", "workers", "api", "cli")
PACKAGES = (*LAYERS, "sandbox")
# What a web process must not load: a provider's code, and what calls it.
NOT_IN_API = ("workers.tasks", "workers.executor", "workers.providers")
MAX_LINES = 400


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> dict[str, ast.Module]:
    """Every module of the product, parsed, by its dotted name."""
    return {
        module_name(path): ast.parse(path.read_text(), str(path))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def imported(tree: ast.Module) -> Iterator[str]:
    """Each dotted name a module imports, at its top or inside a function; a name taken from a package as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import on line {node.lineno}"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.fixture(scope="module")
def trees():
    """The product's modules, parsed once."""
    return sources()


def test_imports_go_down_only(trees):
    """Imports go cli -> api -> workers -> routing -> config, and the sandbox stands apart from all of them."""
    broken = []
    for name, tree in trees.items():
        layer = name.partition(".")[0]
        above = PACKAGES if layer == "sandbox" else PACKAGES[LAYERS.index(layer) + 1 :]
        if layer == "cli":
            above = ()
        broken += [
            f"{name} imports {target}"
            for target in imported(tree)
            for package in above
            if package != layer and is_within(target, package)
        ]
    assert not broken


def test_api_loads_no_provider_code(trees):
    """Nothing that the API imports, itself or through others, is a provider's code or what calls it."""
    broken = []
    for start in (name for name in trees if is_within(name, "api")):
        waiting, seen = [start], {start}
        while waiting:
            for target in imported(trees[waiting.pop()]):
                if any(is_within(target, banned) for banned in NOT_IN_API):
                    broken.append(f"{start} reaches {target}")
                elif target in trees and target not in seen:
                    seen.add(target)
                    waiting.append(target)
    assert not broken


def test_only_config_and_cli_know_the_environment(trees):
    """The environment is read by config/, and handed to processes by cli/."""
    broken = [
        f"{name}:{node.lineno}"
        for name, tree in trees.items()
        if name.partition(".")[0] not in ("config", "cli")
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and ast.unparse(node.value) == "os")
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {"environ", "getenv"} & {a.name for a in node.names}
        )
    ]
    assert not broken


def test_no_module_swells(trees):
    """No module is longer than 400 lines."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines())
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    assert len(lengths) >= len(trees)
    assert {file: lines for file, lines in lengths.items() if lines > MAX_LINES} == {}


def test_the_rules_see_an_offence():
    """The readers of these rules find what they look for, wherever it is written."""
    tree = ast.parse("def late():\n    from api import server\n    import workers.tasks as tasks\n")
    assert set(imported(tree)) == {"api", "api.server", "workers.tasks"}

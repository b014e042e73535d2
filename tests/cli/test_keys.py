"""`model-router keys` and `model-router tenants` against a real Redis."""

import json
import time

import pytest

from cli.key_view import key_table, key_text, secret_text
from cli.tenant_view import tenant_table, tenant_text
from config.key_hash import key_hash


@pytest.fixture
def command(run, settings):
    """Run `model-router` on this test's keys; what it prints as JSON where it succeeds, else its one line."""
    variables = {"REDIS_URL": settings.redis_url, "MODEL_ROUTER_KEY_PREFIX": settings.key_prefix}

    def invoke(*arguments, **more):
        ran = run(*arguments, **variables, **more)
        return json.loads(ran.stdout) if ran.returncode == 0 else ran.stderr

    return invoke


def test_the_life_of_a_key(command):
    """Created, listed, changed, rotated, revoked, deleted: each prints the key, and only two of them its secret."""
    limits = ("--limit", "daily_requests=5", "--limit", "rate_limit_per_minute=2")
    bounds = (*limits, "--expires", "2h", "--model", "fast")
    made = command("keys", "create", "--tenant", "default", "--name", "n", *bounds)
    assert made["secret"].startswith(made["prefix"])
    assert (made["limits"], made["models"]) == ({"daily_requests": 5, "rate_limit_per_minute": 2}, ["fast"])
    assert 7000 < made["expires_at"] - time.time() < 7300
    listed = command("keys", "list", "--tenant", "default")["data"]
    assert [key["id"] for key in listed if key["source"] == "runtime"] == [made["id"]]
    changed = command("keys", "update", made["id"], "--limit", "daily_requests=none", "--metadata", "a=b=c")
    assert (changed["limits"], changed["metadata"]) == ({"rate_limit_per_minute": 2}, {"a": "b=c"})
    rotated = command("keys", "rotate", made["id"], "--grace", "30m")
    assert rotated["secret"] != made["secret"]
    assert 1700 < rotated["previous_valid_until"] - time.time() <= 1800
    assert command("keys", "revoke", made["id"])["status"] == "revoked"
    shown = command("keys", "show", made["id"])
    assert (shown["status"], "secret" in shown) == ("revoked", False)
    assert command("keys", "delete", made["id"]) == {"id": made["id"], "deleted": True}
    assert command("keys", "show", made["id"]) == f"Error: there is no key {made['id']!r}\n"


def test_the_life_of_a_tenant(command, tmp_path):
    """Created by options or from a file, changed in part, listed beside those of files, and deleted with its keys."""
    file = tmp_path / "acme.json"
    file.write_text(json.dumps({"providers": {"enabled": ["groq"]}, "features": {"failover": False}}))
    made = command("tenants", "create", "acme", "--file", str(file), "--quota", "daily_requests=9", "--name", "Acme")
    assert (made["features"]["failover"], made["quotas"], made["name"]) == (False, {"daily_requests": 9}, "Acme")
    changed = command("tenants", "update", "acme", "--status", "suspended", "--quota", "monthly_requests=10")
    assert (changed["status"], changed["name"]) == ("suspended", "Acme")
    assert changed["quotas"] == {"daily_requests": 9, "monthly_requests": 10}
    found = {tenant["id"]: tenant["source"] for tenant in command("tenants", "list")["data"]}
    assert (found["acme"], found["default"]) == ("runtime", "file")
    key = command("keys", "create", "--tenant", "acme")
    assert command("tenants", "delete", "acme", "--yes") == {"id": "acme", "deleted": True}
    assert "there is no key" in command("keys", "show", key["id"])
    assert "there is no tenant" in command("tenants", "show", "acme")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("keys", "create", "--tenant", "nobody"), "there is no tenant"),
        (("keys", "create", "--tenant", "default", "--limit", "daily"), "expected NAME=VALUE"),
        (("keys", "create", "--tenant", "default", "--limit", "daily_requests=many"), "expected a number"),
        (("keys", "create", "--tenant", "default", "--model", "nothing"), "models[0]: the model"),
        (("keys", "create", "--tenant", "default", "--expires", "soon"), "expected how long from now"),
        (("keys", "rotate", "key_none"), "there is no key"),
        (("tenants", "create", "default", "--provider", "groq"), "there is a tenant 'default' already"),
        (("tenants", "create", "acme"), "providers: "),
        (("tenants", "update", "default", "--status", "inactive"), "in a file in"),
    ],
)
def test_what_cannot_be_is_told_in_words(run, settings, arguments, said):
    """A mistake ends with a message and a code that is not 0, and no traceback."""
    failed = run(*arguments, REDIS_URL=settings.redis_url, MODEL_ROUTER_KEY_PREFIX=settings.key_prefix)
    assert failed.returncode in (1, 2)
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr


def test_without_redis_it_is_one_line(run):
    """A Redis that is away ends the command with one line."""
    failed = run("keys", "list", REDIS_URL="redis://127.0.0.1:1/0")
    assert (failed.returncode, failed.stderr) == (1, "Error: Redis is not available\n")


@pytest.mark.parametrize("pepper", ["", "a-pepper-of-some-length"])
def test_a_hash_for_a_file(environment, pepper, monkeypatch):
    """It is read from a pipe, and hashed with the pepper where there is one."""
    from click.testing import CliRunner  # noqa: PLC0415

    from cli.keys import show_hash  # noqa: PLC0415

    for name, value in {**environment, "MODEL_ROUTER_KEY_PEPPER": pepper}.items():
        monkeypatch.setenv(name, value)
    ran = CliRunner().invoke(show_hash, input="ak-mine\n")
    assert ran.output == f"{key_hash('ak-mine', pepper or None)}\n"
    assert CliRunner().invoke(show_hash, input="\n").exit_code == 1


def test_what_a_terminal_shows(command):
    """Tables of ids and states; the secret stands where it can be copied, with the word that it is not shown again."""
    from rich.console import Console  # noqa: PLC0415

    made = command("keys", "create", "--tenant", "default", "--metadata", "team=a")
    made["name"] = "\x1b[31mred"
    tenant = command("tenants", "show", "default")
    console = Console(width=160)
    with console.capture() as seen:
        for drawn in (key_table([made]), key_text(made), tenant_table([tenant]), tenant_text(tenant)):
            console.print(drawn)
    assert made["id"] in seen.get()
    assert "\x1b[31m" not in seen.get()
    assert made["secret"] not in seen.get()
    assert f"  {made['secret']}\n" in secret_text(made)

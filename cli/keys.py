"""`model-router keys`: make keys for callers, and take them away. Works on the ledger's Redis; the API need not run."""

import functools
import sys
import time
from collections.abc import Callable
from typing import Any, ParamSpec

import click

from cli.access import given_only, numbers, open_directory, texts
from cli.environment import read_settings
from cli.key_view import key_table, key_text, secret_text
from cli.moment import Lapse, Later
from cli.output import Output, json_option

P = ParamSpec("P")


@click.group(short_help="Make, list, rotate and revoke callers' keys.")
def keys() -> None:
    r"""Keys by which tenants call. A secret is shown once, when it is made; only its hash is kept.

    \b
    model-router keys create --tenant default --name "nightly reports" --limit daily_requests=500
    model-router keys list --tenant default
    model-router keys rotate KEY_ID --grace 1h
    model-router keys revoke KEY_ID
    """


def _key_options(command: Callable[P, None]) -> Callable[P, None]:
    """The options of what a key may be given."""
    options = (
        click.option("--name", help="What it is for."),
        click.option("--expires", type=Later(), help="In 90s, 30m, 2h, 7d, or at an ISO 8601 time."),
        click.option(
            "--limit", "limits", multiple=True, metavar="NAME=NUMBER", help="As a tenant's quotas; repeatable."
        ),
        click.option("--model", "models", multiple=True, help="Only this alias, deployment or model; repeatable."),
        click.option("--provider", "providers", multiple=True, help="Only this provider; repeatable."),
        click.option("--metadata", multiple=True, metavar="NAME=TEXT", help="A pair to keep with it; repeatable."),
    )
    return functools.reduce(lambda made, option: option(made), reversed(options), command)


@keys.command()
@click.option("--tenant", "tenant_id", required=True, help="Whose it is.")
@_key_options
@json_option
def create(tenant_id: str, *, as_json: bool, **options: Any) -> None:
    """Make a key, and print its secret, which is not shown again."""
    from workers.access.key_desk import KeyDesk  # noqa: PLC0415

    with open_directory() as (directory, settings):
        record, secret = KeyDesk(directory, settings).create({"tenant_id": tenant_id, **_fields(options)})
        shown = {**record.as_object(time.time()), "secret": secret}
    Output(as_json=as_json).show(shown, lambda: secret_text(shown))


@keys.command("list")
@click.option("--tenant", "tenant_id", help="Only this one's.")
@json_option
def show_list(tenant_id: str | None, *, as_json: bool) -> None:
    """List keys, the newest first, those of tenants' files last."""
    from workers.access.key_desk import KeyDesk  # noqa: PLC0415

    with open_directory() as (directory, settings):
        found = KeyDesk(directory, settings).all(tenant_id)
    Output(as_json=as_json).show({"object": "list", "data": found}, lambda: key_table(found))


@keys.command()
@click.argument("key_id")
@json_option
def show(key_id: str, *, as_json: bool) -> None:
    """Show one key, without its secret."""
    from workers.access.key_desk import KeyDesk  # noqa: PLC0415

    with open_directory() as (directory, settings):
        found = KeyDesk(directory, settings).show(key_id)
    Output(as_json=as_json).show(found, lambda: key_text(found))


@keys.command()
@click.argument("key_id")
@_key_options
@json_option
def update(key_id: str, *, as_json: bool, **options: Any) -> None:
    """Change what is given, and leave the rest. `--limit NAME=none` takes a limit away."""
    from workers.access.key_desk import KeyDesk  # noqa: PLC0415

    with open_directory() as (directory, settings):
        desk, body = KeyDesk(directory, settings), _fields(options)
        if "limits" in body:
            body["limits"] = {**desk.show(key_id)["limits"], **body["limits"]}
        changed = desk.change(key_id, body).as_object(time.time())
    Output(as_json=as_json).show(changed, lambda: key_text(changed))


@keys.command()
@click.argument("key_id")
@click.option(
    "--grace",
    type=Lapse(),
    default="1d",
    show_default=True,
    help="How long the secret before this one works as well: 0s, 30m, 1d.",
)
@json_option
def rotate(key_id: str, grace: float, *, as_json: bool) -> None:
    """Give a key a new secret, and print it; it is not shown again."""
    from workers.access.key_desk import KeyDesk  # noqa: PLC0415

    with open_directory() as (directory, settings):
        record, secret = KeyDesk(directory, settings).rotate(key_id, grace)
        shown = {**record.as_object(time.time()), "secret": secret}
    Output(as_json=as_json).show(shown, lambda: secret_text(shown))


@keys.command()
@click.argument("key_id")
@json_option
def revoke(key_id: str, *, as_json: bool) -> None:
    """Let a key in no more. Running processes know within a second."""
    from workers.access.key_desk import KeyDesk  # noqa: PLC0415

    with open_directory() as (directory, settings):
        revoked = KeyDesk(directory, settings).revoke(key_id).as_object(time.time())
    Output(as_json=as_json).show(revoked, lambda: f"{key_id}: revoked")


@keys.command()
@click.argument("key_id")
@json_option
def delete(key_id: str, *, as_json: bool) -> None:
    """Revoke a key and forget it."""
    from workers.access.key_desk import KeyDesk  # noqa: PLC0415

    with open_directory() as (directory, settings):
        KeyDesk(directory, settings).delete(key_id)
    Output(as_json=as_json).show({"id": key_id, "deleted": True}, lambda: f"{key_id}: deleted")


@keys.command("hash")
def show_hash() -> None:
    """Print the hash of a key for a tenant file's `api_key_hashes`.

    The key is asked for, or read from a pipe: as an argument, every user of the machine would see it.
    """
    from config.key_hash import key_hash  # noqa: PLC0415

    settings = read_settings()
    asked = sys.stdin.isatty()
    secret = click.prompt("Key", hide_input=True) if asked else sys.stdin.read()
    if not secret.strip():
        raise click.ClickException("no key was given")
    click.echo(key_hash(secret.strip(), settings.key_pepper))


def _fields(options: dict[str, Any]) -> dict[str, Any]:
    """The body that the admin API would be sent for these options."""
    return given_only(
        name=options["name"],
        expires_at=options["expires"],
        limits=numbers(options["limits"]),
        models=list(options["models"]),
        providers=list(options["providers"]),
        metadata=texts(options["metadata"]),
    )

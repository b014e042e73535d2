"""`model-router tenants`: tenants made at run time. Works on the ledger's Redis; the API need not run."""

import functools
import json
from collections.abc import Callable
from typing import Any, ParamSpec, TextIO

import click

from cli.access import given_only, numbers, open_directory
from cli.output import Output, json_option
from cli.tenant_view import tenant_table, tenant_text

P = ParamSpec("P")


@click.group(short_help="Make, list, change and delete tenants.")
def tenants() -> None:
    r"""Tenants made at run time; those of files are listed beside them, and changed in their files.

    \b
    model-router tenants create acme --provider groq --quota daily_requests=1000
    model-router tenants update acme --status suspended
    model-router tenants delete acme
    """


def _tenant_options(command: Callable[P, None]) -> Callable[P, None]:
    """The options of what a tenant may be given."""
    options = (
        click.option("--name", help="What it is called."),
        click.option("--provider", "providers", multiple=True, help="A provider it may use; repeatable."),
        click.option("--policy", help="The routing policy of its requests."),
        click.option("--quota", "quotas", multiple=True, metavar="NAME=NUMBER", help="A limit; repeatable."),
        click.option("--status", type=click.Choice(["active", "inactive", "suspended"]), help="Whether its keys work."),
        click.option("--file", type=click.File(), help="A JSON object with more, as a file of tenants/; - is stdin."),
    )
    return functools.reduce(lambda made, option: option(made), reversed(options), command)


@tenants.command()
@click.argument("tenant_id")
@_tenant_options
@json_option
def create(tenant_id: str, *, as_json: bool, **options: Any) -> None:
    """Make a tenant, without a key: `model-router keys create --tenant TENANT_ID` makes one."""
    from workers.access.tenant_desk import TenantDesk  # noqa: PLC0415

    body = {"tenant_id": tenant_id, **_fields(options, {})}
    with open_directory() as (directory, settings):
        made = TenantDesk(directory, settings).create(body).as_object()
    Output(as_json=as_json).show(made, lambda: tenant_text(made))


@tenants.command("list")
@json_option
def show_list(*, as_json: bool) -> None:
    """List all tenants, those of files, too."""
    from workers.access.tenant_desk import TenantDesk  # noqa: PLC0415

    with open_directory() as (directory, settings):
        found = TenantDesk(directory, settings).all()
    Output(as_json=as_json).show({"object": "list", "data": found}, lambda: tenant_table(found))


@tenants.command()
@click.argument("tenant_id")
@json_option
def show(tenant_id: str, *, as_json: bool) -> None:
    """Show one tenant."""
    from workers.access.tenant_desk import TenantDesk  # noqa: PLC0415

    with open_directory() as (directory, settings):
        found = TenantDesk(directory, settings).show(tenant_id)
    Output(as_json=as_json).show(found, lambda: tenant_text(found))


@tenants.command()
@click.argument("tenant_id")
@_tenant_options
@json_option
def update(tenant_id: str, *, as_json: bool, **options: Any) -> None:
    """Change what is given, and leave the rest. `--quota NAME=none` takes a limit away."""
    from workers.access.tenant_desk import TenantDesk  # noqa: PLC0415

    with open_directory() as (directory, settings):
        desk = TenantDesk(directory, settings)
        changed = desk.change(tenant_id, _fields(options, desk.show(tenant_id))).as_object()
    Output(as_json=as_json).show(changed, lambda: tenant_text(changed))


@tenants.command()
@click.argument("tenant_id")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@json_option
def delete(tenant_id: str, *, yes: bool, as_json: bool) -> None:
    """Delete a tenant and all its keys."""
    from workers.access.tenant_desk import TenantDesk  # noqa: PLC0415

    if not yes:
        click.confirm(f"Delete {tenant_id} and all its keys?", abort=True, err=True)
    with open_directory() as (directory, settings):
        TenantDesk(directory, settings).delete(tenant_id)
    Output(as_json=as_json).show({"id": tenant_id, "deleted": True}, lambda: f"{tenant_id}: deleted")


def _fields(options: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The body that the admin API would be sent for these options; `before` is the tenant as it is shown now."""
    body = given_only(name=options["name"], status=options["status"], routing_policy=options["policy"])
    quotas = numbers(options["quotas"])
    if quotas:
        body["quotas"] = {**before.get("quotas", {}), **quotas}
    if options["providers"]:
        body["providers"] = {"enabled": list(options["providers"])}
    return {**_file(options["file"]), **body}


def _file(file: TextIO | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        found = json.load(file)
    except ValueError as error:
        raise click.ClickException(f"{file.name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise click.ClickException(f"{file.name}: expected an object")
    return found

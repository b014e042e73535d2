"""`model-router provider-keys`: which tenants have stored keys of their own, and sealing them anew. Shows no key."""

import sys
import time

import click

from cli.environment import read_settings
from cli.ledger import open_ledger


@click.group("provider-keys", short_help="Look at tenants' own provider keys; seal them anew.")
def provider_keys() -> None:
    """Look at the provider keys that tenants have stored, or seal them with a new encryption key."""


@provider_keys.command("list")
def show() -> None:
    """Print which tenant has a key for which provider. The keys themselves are not shown."""
    settings = read_settings()
    with open_ledger(settings) as ledger:
        _, kept = ledger.own_keys.all()
    if not kept:
        click.echo("No tenant has stored a provider key.")
        return
    width = max(len(tenant) for tenant, _ in kept)
    for (tenant, provider), key in sorted(kept.items()):
        since = time.strftime("%Y-%m-%d %H:%M", time.gmtime(key.set_at))
        click.echo(f"{tenant:<{width}}  {provider:<20}  ...{key.last4:<4}  {since} UTC")


@provider_keys.command()
def reseal() -> None:
    """Seal every stored key with the first of MODEL_ROUTER_ENCRYPTION_KEY; the others open them for it.

    Exits 1 where some could not be opened; these are left as they are.
    """
    from workers.own_keys.sealing import Sealing, Unreadable  # noqa: PLC0415 - as in cli/ledger.py

    settings = read_settings()
    sealing, done, failed = Sealing(settings.encryption_keys), 0, 0
    if not sealing.ready:
        raise click.ClickException("MODEL_ROUTER_ENCRYPTION_KEY is not set")
    with open_ledger(settings) as ledger:
        _, kept = ledger.own_keys.all()
        for (tenant, provider), key in sorted(kept.items()):
            try:
                sealed = sealing.sealed_anew(tenant, provider, key.sealed)
            except Unreadable as error:
                failed += 1
                click.echo(f"{tenant} {provider}: {error}", err=True)
                continue
            # One that its tenant has replaced meanwhile was sealed with the first key.
            done += ledger.own_keys.reseal(tenant, provider, key, sealed)
    click.echo(f"sealed anew: {done} of {len(kept)}")
    sys.exit(1 if failed else 0)

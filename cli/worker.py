"""`model-router worker`: a Celery worker for one provider's queue, or for queues that belong to none."""

import sys
from collections.abc import Sequence

import click

from cli.environment import read_configuration, read_settings
from cli.execution import become
from cli.storage_check import check_storage
from config.configuration import Configuration
from config.provider import ProviderConfig
from config.settings import Settings
from workers.queues import BACKGROUND, provider_queue

BACKGROUND_CONCURRENCY = 20


def worker_argv(settings: Settings, *, name: str, queues: Sequence[str], concurrency: int) -> tuple[str, ...]:
    """A gevent worker of `queues` with `concurrency` greenlets."""
    return (
        *(sys.executable, "-m", "celery", "-q", "-A", "workers.app", "worker", "-P", "gevent"),
        *("-c", str(concurrency), "-Q", ",".join(queues), "-n", f"{name}@%h"),
        *("--without-gossip", "--without-mingle", "-l", settings.log_level),
        *(("-E",) if settings.task_events else ()),
    )


def provider_worker_argv(settings: Settings, provider: ProviderConfig) -> tuple[str, ...]:
    """The worker of one provider: its own queue, as many greenlets as the provider's row says."""
    queues = (provider_queue(provider.name),)
    return worker_argv(settings, name=provider.name, queues=queues, concurrency=provider.concurrency)


def background_worker_argv(settings: Settings, queues: Sequence[str], name: str = "background") -> tuple[str, ...]:
    """A worker of queues that belong to no provider."""
    return worker_argv(settings, name=name, queues=queues, concurrency=BACKGROUND_CONCURRENCY)


def worker_environment(settings: Settings, provider: ProviderConfig) -> dict[str, str]:
    """The environment of a provider's worker."""
    return {**settings.child_environment(), "MODEL_ROUTER_WORKER_PROVIDER": provider.name}


@click.command()
@click.option(
    "--provider", "provider_name", metavar="NAME", help="Serve this provider's queue (a row of providers.json)."
)
@click.option(
    "--queue",
    "queues",
    type=click.Choice(BACKGROUND),
    multiple=True,
    help="Serve this queue; may be repeated. For the work that belongs to no provider.",
)
def worker(provider_name: str | None, queues: tuple[str, ...]) -> None:
    r"""Run one worker: for one provider, or for background queues.

    \b
    model-router worker --provider groq
    model-router worker --queue webhooks --queue batches --queue maintenance
    """
    if bool(provider_name) == bool(queues):
        raise click.UsageError("give either --provider NAME or --queue NAME")
    settings = read_settings()
    configuration = read_configuration(settings)
    check_storage(settings)
    if provider_name is None:
        name = "background" if len(queues) > 1 else queues[0]
        become(background_worker_argv(settings, queues, name), settings.child_environment())
    provider = _enabled_provider(configuration, provider_name)
    if not provider.is_called:
        click.echo(f"{provider.name}: {provider.unusable_reason}: its queue stays empty until that is mended", err=True)
    become(provider_worker_argv(settings, provider), worker_environment(settings, provider))


def _enabled_provider(configuration: Configuration, name: str) -> ProviderConfig:
    provider = configuration.providers.get(name)
    if provider is not None and provider.enabled:
        return provider
    enabled = ", ".join(sorted(row.name for row in configuration.providers.values() if row.enabled)) or "none"
    what = "is disabled in providers.json" if provider else "is not in providers.json"
    raise click.ClickException(f"provider {name!r} {what}; enabled are: {enabled}")

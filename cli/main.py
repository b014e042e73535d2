"""The `model-router` command: a group whose commands live in one file each."""

from pathlib import Path

import click

from cli.api import api
from cli.batch import batch
from cli.beat import beat
from cli.breaker import breaker
from cli.doctor import doctor
from cli.environment import apply_env_file
from cli.export import export
from cli.flower import flower
from cli.jobs import jobs
from cli.keys import keys
from cli.plan import plan
from cli.provider_keys import provider_keys
from cli.replay import replay
from cli.sandbox import sandbox
from cli.tenants import tenants
from cli.up import up
from cli.usage import usage
from cli.webhooks import webhooks
from cli.worker import worker


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="model-router", prog_name="model-router")
@click.option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read variables from this file first; the environment's own win. See .env.example.",
)
def main(env_file: Path | None) -> None:
    """Model Router: a self-hosted, queue-driven LLM gateway.

    `up` starts everything on this machine. The other commands start one process each, for a Procfile or containers;
    they find Redis at REDIS_URL, or at what a running `up` of the same MODEL_ROUTER_HOME notes down.
    """
    if env_file is not None:
        apply_env_file(env_file)


_PROCESSES = (up, api, worker, beat, flower, sandbox)
_TOOLS = (doctor, plan, jobs, batch, webhooks, keys, tenants, provider_keys, usage, breaker, export, replay)
for _command in (*_PROCESSES, *_TOOLS):
    main.add_command(_command)

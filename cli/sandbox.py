"""`model-router sandbox`: the providers' stand-in."""

import sys

import click

from cli.environment import read_settings
from cli.execution import become
from config.settings import Settings


def sandbox_argv(settings: Settings) -> tuple[str, ...]:
    """The sandbox providers."""
    return (
        *(sys.executable, "-m", "sandbox"),
        *("--host", settings.sandbox_host, "--port", str(settings.sandbox_port)),
    )


@click.command(short_help="Serve the sandbox providers.")
def sandbox() -> None:
    """Serve the sandbox: the providers' wire formats with made-up answers, for use without keys.

    Listens on MODEL_ROUTER_SANDBOX_HOST (127.0.0.1) and MODEL_ROUTER_SANDBOX_PORT (3900).
    """
    settings = read_settings()
    become(sandbox_argv(settings), settings.child_environment())

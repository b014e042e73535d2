"""`model-router flower`: Celery's monitoring pages."""

import sys

import click

from cli.environment import read_settings
from cli.execution import become
from cli.flower_password import flower_environment
from config.settings import Settings


def flower_argv(settings: Settings) -> tuple[str, ...]:
    """Flower, keeping nothing on disk and asking workers for task events only where the operator wants them."""
    return (
        *(sys.executable, "-m", "celery", "-A", "workers.monitor", "flower"),
        f"--address={settings.flower_host}",
        f"--port={settings.flower_port}",
        "--persistent=False",
        # Otherwise Flower switches the events of every worker on, whatever MODEL_ROUTER_TASK_EVENTS says.
        f"--enable_events={settings.task_events}",
        f"--logging={settings.log_level}",
    )


@click.command()
def flower() -> None:
    """Serve Flower, the view of workers and queues.

    Listens on MODEL_ROUTER_FLOWER_HOST (127.0.0.1) and FLOWER_PORT (5555), and asks for FLOWER_BASIC_AUTH
    (user:password). Without it: for the user `flower` and a password that is made once, in
    MODEL_ROUTER_HOME/flower-password. Flower's own FLOWER_* variables are passed on.
    """
    settings = read_settings()
    try:
        environment = flower_environment(settings)
    except OSError as error:
        raise click.ClickException(f"Flower's password cannot be kept: {error}") from error
    become(flower_argv(settings), environment)

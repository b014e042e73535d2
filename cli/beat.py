"""`model-router beat`: Celery's scheduler. It only publishes; workers do the work."""

import sys

import click

from cli.environment import read_settings
from cli.execution import become
from config.settings import Settings


def beat_argv(settings: Settings) -> tuple[str, ...]:
    """The scheduler; its schedule file stands under HOME, whose folder is made here."""
    folder = settings.home / "beat"
    folder.mkdir(parents=True, exist_ok=True)
    return (
        *(sys.executable, "-m", "celery", "-A", "workers.app", "beat"),
        *("-s", str(folder / "schedule"), "-l", settings.log_level),
    )


@click.command()
def beat() -> None:
    """Run the scheduler of the periodic tasks.

    Run one per Redis: two would publish every periodic task twice.
    """
    settings = read_settings()
    become(beat_argv(settings), settings.child_environment())

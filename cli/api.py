"""`model-router api`: the HTTP front end, run by gunicorn."""

import sys

import click

from cli.environment import read_configuration, read_settings
from cli.execution import become
from cli.storage_check import check_storage
from config.settings import PROJECT_ROOT


def api_argv() -> tuple[str, ...]:
    """The API process; api/gunicorn.py holds its address and workers."""
    return (sys.executable, "-m", "gunicorn", "-c", str(PROJECT_ROOT / "api" / "gunicorn.py"), "api.wsgi:app")


@click.command()
def api() -> None:
    """Serve the HTTP API.

    Listens on MODEL_ROUTER_HOST (127.0.0.1) and PORT (3000).
    """
    settings = read_settings()
    read_configuration(settings)
    check_storage(settings)
    become(api_argv(), settings.child_environment())

"""The ledger, for commands that ask Redis themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from config.settings import SettingError, Settings
from routing.errors import StoreUnavailable

if TYPE_CHECKING:
    from workers.ledger.ledger import Ledger


@contextmanager
def open_ledger(settings: Settings) -> "Iterator[Ledger]":
    """The ledger until the end of the block; a Redis that is away ends the command with one line."""
    # What only such commands need of workers and gevent is loaded when they run, so that --help stays quick.
    from workers import redis_client  # noqa: PLC0415
    from workers.ledger.ledger import Ledger  # noqa: PLC0415
    from workers.pipeline import CommandPipeline  # noqa: PLC0415

    try:
        client = redis_client.connect(settings.resolve_redis_url())
    except SettingError as error:
        raise click.ClickException(str(error)) from error
    pipeline = CommandPipeline(client)
    try:
        yield Ledger(pipeline, settings)
    except StoreUnavailable as error:
        raise click.ClickException("Redis is not available") from error
    finally:
        pipeline.close()
        client.close()

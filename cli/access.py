"""What `keys` and `tenants` share: the way to the store of both, and their options."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cli.environment import read_settings
from config.configuration import ConfigurationError
from config.settings import SettingError, Settings
from routing.errors import RouterError, StoreUnavailable

if TYPE_CHECKING:
    from workers.directory import Directory


@contextmanager
def open_directory() -> "Iterator[tuple[Directory, Settings]]":
    """Tenants and keys, of files and of the ledger's Redis; whatever is refused ends the command with one line."""
    # What only these commands need of workers and gevent is loaded when one runs, so that --help stays quick.
    from config.live import LiveConfiguration  # noqa: PLC0415
    from workers import redis_client  # noqa: PLC0415
    from workers.access.book import AccessBook  # noqa: PLC0415
    from workers.directory import Directory  # noqa: PLC0415
    from workers.ledger.ledger import Ledger  # noqa: PLC0415
    from workers.pipeline import CommandPipeline  # noqa: PLC0415

    settings = read_settings()
    try:
        client = redis_client.connect(settings.resolve_redis_url())
        live = LiveConfiguration(settings)
    except (SettingError, ConfigurationError) as error:
        raise click.ClickException(str(error)) from error
    pipeline = CommandPipeline(client)
    try:
        yield Directory(live, settings, AccessBook(Ledger(pipeline, settings).access)), settings
    except StoreUnavailable as error:
        raise click.ClickException("Redis is not available") from error
    except RouterError as error:
        raise click.ClickException(error.message) from error
    finally:
        pipeline.close()
        client.close()


def numbers(given: Iterable[str]) -> dict[str, float | None]:
    """`NAME=NUMBER` each, as a file would hold them; `none` takes a limit away."""
    found: dict[str, float | None] = {}
    for name, text in _pairs(given):
        try:
            found[name] = None if text == "none" else float(text) if "." in text else int(text)
        except ValueError:
            raise click.UsageError(f"{name}={text}: expected a number, or none") from None
    return found


def texts(given: Iterable[str]) -> dict[str, str]:
    """`NAME=TEXT` each."""
    return dict(_pairs(given))


def given_only(**fields: Any) -> dict[str, Any]:
    """Those of `fields` that were given on the command line: not None, and not an empty list."""
    return {name: value for name, value in fields.items() if value not in (None, (), [], {})}


def _pairs(given: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{text}: expected NAME=VALUE")
        yield name, value

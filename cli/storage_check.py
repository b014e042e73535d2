"""Whether files can be kept where the settings say; what would end a process at its start ends it with one line."""

import click

from config.settings import SettingError, Settings
from workers.storage_place import find_place


def check_storage(settings: Settings) -> None:
    """ClickException where no code reaches MODEL_ROUTER_FILES_URL. Connects to nothing."""
    try:
        find_place(settings.files_place)
    except SettingError as error:
        raise click.ClickException(str(error)) from error

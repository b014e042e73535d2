"""What a command starts from: settings, configuration and an optional env file; a broken one ends it with one line."""

import os
from pathlib import Path

import click

from config.configuration import Configuration, ConfigurationError
from config.loader import load
from config.settings import SettingError, Settings


def read_settings() -> Settings:
    """The settings of this process's environment."""
    try:
        return Settings.from_environment()
    except SettingError as error:
        raise click.ClickException(str(error)) from error


def read_configuration(settings: Settings) -> Configuration:
    """The configuration folder the settings name."""
    try:
        return load(settings)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error


def apply_env_file(path: Path) -> None:
    """Set the variables of a `NAME=value` file that the environment does not have; # comments, optional quotes."""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise click.ClickException(f"{path}:{number}: expected NAME=value")
        os.environ.setdefault(name, _unquoted(value.strip()))


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()

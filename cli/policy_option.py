"""A routing policy as a command is given it: a name of the configuration, or a file of its own."""

from collections.abc import Mapping
from pathlib import Path

import click
from marshmallow import ValidationError

from config.fields import flatten, unknown_message
from config.json_file import JsonFileError, read_object
from config.policy import PolicyConfig
from config.policy_schema import PolicySchema, policy_config, policy_name


def policy_of(given: str, configured: Mapping[str, PolicyConfig]) -> PolicyConfig:
    """The policy; click.BadParameter, which says what is wrong, where there is none.

    What ends in .json is a file. It holds one policy as policies/routing.json does, keyed by its name, or its fields
    alone; then it is called like the file.
    """
    if given.endswith(".json"):
        return _from_file(Path(given))
    found = configured.get(policy_name(given))
    if found is None:
        raise click.BadParameter(f"{given!a}: {unknown_message('policy', given, configured)}")
    return found


def _from_file(path: Path) -> PolicyConfig:
    try:
        row = read_object(path)
    except JsonFileError as error:
        raise click.BadParameter(f"{path}: {error}") from None
    name = path.stem
    if len(row) == 1:
        [(key, inner)] = row.items()
        if isinstance(inner, dict) and key not in PolicySchema().fields:
            name, row = key, inner
    try:
        return policy_config(name, PolicySchema().load(row))
    except ValidationError as error:
        problems = "; ".join(": ".join(filter(None, problem)) for problem in flatten(error.messages))
        raise click.BadParameter(f"{path}: {problems}") from None

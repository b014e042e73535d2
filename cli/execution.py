"""Becoming another program: the commands that start one process end here."""

import contextlib
import os
import resource
from collections.abc import Mapping, Sequence
from typing import NoReturn

from config.settings import PROJECT_ROOT


def raise_file_limit() -> None:
    """Lift the soft limit on open files to the hard one: a worker holds two sockets per call it has under way."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def become(argv: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Replace this process by `argv`, run from the project's root so that its packages are found."""
    raise_file_limit()
    os.chdir(PROJECT_ROOT)
    os.execve(argv[0], list(argv), dict(environment))  # noqa: S606 - an argument list of our own, and no shell

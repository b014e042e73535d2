"""Identifiers in the vendors' forms: unique in this process, and different from another process's."""

import itertools
import secrets


class Identifiers:
    """Hands out identifiers; cheap enough for every call."""

    def __init__(self) -> None:
        self._process = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def new(self, prefix: str) -> str:
        """`prefix` and 24 characters that never come again."""
        return f"{prefix}{self._process}{next(self._numbers):012x}"

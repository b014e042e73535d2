"""Reading the `input` of OpenAI's embeddings: a text or its tokens, or a list of either."""

import json
from dataclasses import dataclass
from typing import Any

from sandbox import tokens
from sandbox.dialects import fields
from sandbox.dialects.openai_refusals import OpenAIRefusals

_MOST = 2048


@dataclass(frozen=True, slots=True)
class Input:
    """One input: its text (tokens stand as JSON) and how many tokens it has."""

    text: str
    tokens: int


def read_inputs(given: Any, refusals: OpenAIRefusals) -> list[Input]:
    """The inputs, in order. Raises WrongType, or a refusal where there are none, too many, or empty ones."""
    if isinstance(given, str):
        return [_read(given, "input", refusals)]
    items = fields.array(given, "input", "a string or an array")
    if not 1 <= len(items) <= _MOST:
        raise refusals.wrong_value("input", f"'input' must have 1 to {_MOST} entries.")
    if isinstance(items[0], int):
        return [_read(items, "input", refusals)]
    return [_read(item, f"input[{number}]", refusals) for number, item in enumerate(items)]


def _read(item: Any, path: str, refusals: OpenAIRefusals) -> Input:
    if not isinstance(item, list):
        item = fields.text(item, path)
    elif any(isinstance(token, bool) or not isinstance(token, int) for token in item):
        raise fields.WrongType(path, "an array of integers", item)
    if not item:
        raise refusals.wrong_value(path, f"'{path}' cannot be empty.")
    return Input(json.dumps(item), len(item)) if isinstance(item, list) else Input(item, tokens.count(item))

"""Text that matches a regular expression, for schemas with `pattern`. Simple expressions only; the rest is a guess."""

import re
from re import _constants, _parser  # type: ignore[attr-defined]  # the only parser of expressions there is
from typing import Any

_LONGEST_REPEAT = 64
_CATEGORIES = {
    _constants.CATEGORY_DIGIT: "1",
    _constants.CATEGORY_SPACE: " ",
    _constants.CATEGORY_WORD: "a",
    _constants.CATEGORY_NOT_DIGIT: "a",
    _constants.CATEGORY_NOT_SPACE: "a",
    _constants.CATEGORY_NOT_WORD: "-",
}
_PRINTABLE = "a1-_ .,:;/+" + "".join(map(chr, range(33, 127)))


def sample(pattern: str, least: int = 0) -> str | None:
    """A text that `pattern` matches, of at least `least` characters where repeats allow; None where none is found."""
    try:
        parsed = _parser.parse(pattern)
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None
    for repeats in (0, least):
        text = _sequence(parsed, {}, repeats)
        if len(text) >= least and compiled.search(text):
            return text
    return None


def _sequence(nodes: Any, groups: dict[int, str], repeats: int) -> str:
    return "".join(_node(op, value, groups, repeats) for op, value in nodes)


def _node(op: Any, value: Any, groups: dict[int, str], repeats: int) -> str:
    text = ""
    if op is _constants.LITERAL:
        text = chr(value)
    elif op is _constants.NOT_LITERAL:
        text = "a" if value != ord("a") else "b"
    elif op is _constants.ANY:
        text = "a"
    elif op is _constants.IN:
        text = _one_of(value)
    elif op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT):
        low, high, body = value
        times = min(max(low, min(repeats, int(high))), max(low, _LONGEST_REPEAT), 10_000)
        text = "".join(_sequence(body, groups, repeats) for _ in range(times))
    elif op is _constants.SUBPATTERN:
        text = _sequence(value[-1], groups, repeats)
        if value[0] is not None:
            groups[value[0]] = text
    elif op is _constants.BRANCH:
        text = _sequence(value[1][0], groups, repeats)
    elif op is _constants.GROUPREF:
        text = groups.get(value, "")
    return text


def _one_of(members: Any) -> str:
    """A character of a class such as [a-z_] or [^0-9]."""
    if members[0][0] is not _constants.NEGATE:
        op, value = members[0]
        if op is _constants.CATEGORY:
            return _CATEGORIES[value]
        return chr(value if op is _constants.LITERAL else value[0])
    for character in _PRINTABLE:
        if not any(_has(op, value, character) for op, value in members[1:]):
            return character
    return ""


def _has(op: Any, value: Any, character: str) -> bool:
    code = ord(character)
    if op is _constants.RANGE:
        return bool(value[0] <= code <= value[1])
    if op is _constants.LITERAL:
        return bool(code == value)
    classes = {
        _constants.CATEGORY_DIGIT: character.isdigit(),
        _constants.CATEGORY_SPACE: character.isspace(),
        _constants.CATEGORY_WORD: character.isalnum() or character == "_",
        _constants.CATEGORY_NOT_DIGIT: not character.isdigit(),
        _constants.CATEGORY_NOT_SPACE: not character.isspace(),
        _constants.CATEGORY_NOT_WORD: not (character.isalnum() or character == "_"),
    }
    return classes.get(value, False)

"""Strict marshmallow fields and the base schema of the configuration files. No file's own shape is here."""

import difflib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# What may stand in an HTTP header: visible ASCII.
VISIBLE = re.compile(r"[!-~]{1,512}")

T = TypeVar("T")


def unknown_message(what: str, key: str, known: Iterable[str]) -> str:
    """What to say of a name nobody knows: the nearest known one, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(key, names, n=1)
    return f"unknown {what}; " + (f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(names) or 'none'}")


class StrictSchema(Schema):
    """Refuses a field it does not know, and names the nearest one it does."""

    class Meta:
        """Nothing unknown is kept; it is refused below, where the message can help."""

        unknown = EXCLUDE

    error_messages = {"type": "expected an object"}  # noqa: RUF012 - marshmallow declares it as an instance attribute

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def refuse_unknown(self, _data: Any, original: Any, **_: Any) -> None:
        """ValidationError for each key that is no field."""
        if not isinstance(original, Mapping):
            return
        known = {field.data_key or name for name, field in self.load_fields.items()}
        unknown = {ascii(key)[1:-1]: [unknown_message("field", key, known)] for key in original if key not in known}
        if unknown:
            raise ValidationError(unknown)


class StrictField(fields.Field[T]):
    """A field that takes one JSON type as it stands; `expected` words its errors, which never quote the value.

    Its `json_schema` is for the document of the API, some of whose bodies have these fields, too.
    """

    def __init__(self, expected: str, **kwargs: Any) -> None:
        messages: dict[str, str | list[Any] | dict[Any, Any]] = {
            "required": f"missing; expected {expected}",
            "null": f"expected {expected}, not null",
        }
        super().__init__(error_messages=messages, **kwargs)
        self.expected = expected

    def read(self, value: Any) -> T:
        """The value in its own type; ValidationError where it is not one."""
        raise NotImplementedError

    def refuse(self) -> ValidationError:
        """The error of a value that is not what was expected."""
        return ValidationError(f"expected {self.expected}")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> T:  # noqa: ARG002 - marshmallow's signature
        return self.read(value)


class Text(StrictField[str]):
    """A string, whole in `pattern` where one is given."""

    def __init__(self, expected: str = "a string", pattern: re.Pattern[str] | None = None, **kwargs: Any) -> None:
        super().__init__(expected, **kwargs)
        self._pattern = pattern

    def json_schema(self) -> dict[str, Any]:
        """A string, and its pattern."""
        return {"type": "string", **_pattern(self._pattern)}

    def read(self, value: Any) -> str:
        """The string as it stands."""
        if not isinstance(value, str) or (self._pattern and not self._pattern.fullmatch(value)):
            raise self.refuse()
        return value


class Flag(StrictField[bool]):
    """true or false, and nothing that looks like it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("true or false", **kwargs)

    def json_schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}

    def read(self, value: Any) -> bool:
        """The flag as it stands."""
        if not isinstance(value, bool):
            raise self.refuse()
        return value


class Number(StrictField[Decimal]):
    """A JSON number from `low` to `high`, with the digits that were written; `above` leaves out `low` itself."""

    def __init__(self, low: float = 0, high: float = 1e12, *, above: bool = False, **kwargs: Any) -> None:
        bound = f"greater than {low:g}, up to" if above else f"from {low:g} to"
        super().__init__(f"a number {bound} {high:g}", **kwargs)
        self._low, self._high, self._above = low, high, above

    def json_schema(self) -> dict[str, Any]:
        """A number and its bounds."""
        least = "exclusiveMinimum" if self._above else "minimum"
        return {"type": "number", least: self._low, "maximum": self._high}

    def read(self, value: Any) -> Decimal:
        """The number as Decimal."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse()
        if not self._low <= value <= self._high or (self._above and value == self._low):
            raise self.refuse()
        return Decimal(str(value))


class Whole(StrictField[int]):
    """A whole JSON number from `low` to `high`."""

    def __init__(self, low: int = 0, high: int = 10**12, **kwargs: Any) -> None:
        super().__init__(f"a whole number from {low} to {high}", **kwargs)
        self._low, self._high = low, high

    def json_schema(self) -> dict[str, Any]:
        """An integer and its bounds."""
        return {"type": "integer", "minimum": self._low, "maximum": self._high}

    def read(self, value: Any) -> int:
        """The number as it stands."""
        if isinstance(value, bool) or not isinstance(value, int) or not self._low <= value <= self._high:
            raise self.refuse()
        return value


class Words(StrictField[tuple[str, ...]]):
    """A list of at least `least` strings, each whole in `pattern` and given once. Its items may be secret."""

    def __init__(self, item: str, pattern: re.Pattern[str] = NAME, *, least: int = 0, **kwargs: Any) -> None:
        super().__init__(f"a list of strings, each a {item}" + (f", at least {least}" if least else ""), **kwargs)
        self._item, self._pattern, self._least = item, pattern, least

    def json_schema(self) -> dict[str, Any]:
        """A list of such strings."""
        item = {"type": "string", **_pattern(self._pattern)}
        return {"type": "array", "items": item, "minItems": self._least, "uniqueItems": True}

    def read(self, value: Any) -> tuple[str, ...]:
        """The strings, in order."""
        if not isinstance(value, list) or len(value) < self._least:
            raise self.refuse()
        errors: dict[str, list[str]] = {}
        for index, item in enumerate(value):
            if not isinstance(item, str) or not self._pattern.fullmatch(item):
                errors[f"[{index}]"] = [f"expected a {self._item}"]
            elif item in value[:index]:
                errors[f"[{index}]"] = [f"this {self._item} is given twice"]
        if errors:
            raise ValidationError(errors)
        return tuple(value)


class Table(StrictField[dict[str, Any]]):
    """An object whose keys are whole in `pattern` and whose values all load with `values`."""

    def __init__(self, key: str, pattern: re.Pattern[str], values: Schema | fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(f"an object keyed by {key}", **kwargs)
        self._key, self._pattern, self._values = key, pattern, values

    def read(self, value: Any) -> dict[str, Any]:
        """The loaded values by key."""
        if not isinstance(value, dict):
            raise self.refuse()
        loaded: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for key, item in value.items():
            if not self._pattern.fullmatch(key):
                errors[ascii(key)] = [f"expected a {self._key} as the key"]
                continue
            try:
                loaded[key] = self._values.load(item) if isinstance(self._values, Schema) else self._item(item)
            except ValidationError as error:
                errors[key] = error.messages
        if errors:
            raise ValidationError(errors)
        return loaded

    def _item(self, item: Any) -> Any:
        assert isinstance(self._values, fields.Field)
        return self._values.deserialize(item)


def _pattern(pattern: re.Pattern[str] | None) -> dict[str, str]:
    return {} if pattern is None else {"pattern": f"^(?:{pattern.pattern})$"}


def flatten(messages: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested marshmallow messages as (dotted path, message) pairs, in order."""
    if isinstance(messages, Mapping):
        pairs: list[tuple[str, str]] = []
        for key, inner in messages.items():
            step = "" if key == "_schema" else str(key)
            dot = "." if prefix and step and not step.startswith("[") else ""
            pairs += flatten(inner, prefix + dot + step)
        return pairs
    if isinstance(messages, list):
        return [pair for item in messages for pair in flatten(item, prefix)]
    return [(prefix, str(messages))]

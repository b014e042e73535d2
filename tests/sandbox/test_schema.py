"""Instances of schemas are valid; an independent validator (pydantic) is the judge."""

import enum
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field

from sandbox.schema import instance


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Node(BaseModel):
    name: str
    parent: "Node | None" = None
    children: list["Node"] = []


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    plain: str
    short: Annotated[str, Field(max_length=3)]
    long: Annotated[str, Field(min_length=50)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{3}-\d{4}$")]
    choice: Literal["a", "b"]
    colour: Colour
    when: datetime
    day: date
    identifier: UUID
    count: Annotated[int, Field(ge=3, le=5)]
    odd: Annotated[int, Field(gt=10, multiple_of=7)]
    negative: Annotated[int, Field(lt=0)]
    share: Annotated[float, Field(gt=0, lt=1)]
    flag: bool
    nothing: None
    maybe: int | None
    either: int | str
    pair: tuple[int, str]
    items: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=3, max_length=4)]
    unique: Annotated[set[str], Field(min_length=3)]
    mapping: dict[str, int]
    nested: Node


def test_instance_of_every_kind_of_field_is_valid():
    """One model with every constraint that schemas from code commonly have validates its instance."""
    Everything.model_validate(instance(Everything.model_json_schema()))


def test_recursive_schema_ends():
    """A schema that refers to itself has an instance, and a valid one."""
    Node.model_validate(instance(Node.model_json_schema()))


def test_instance_is_always_the_same():
    """No chance is involved."""
    schema = Everything.model_json_schema()
    assert instance(schema) == instance(schema)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 5}, 5),
        ({"enum": ["x", "y"]}, "x"),
        ({"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}}, {"n": 1}),
        ({"type": ["null", "boolean"]}, True),
        ({"type": "object", "required": ["a"]}, {"a": "sample a"}),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 0}, []),
        ({"type": "integer", "minimum": 2.5}, 3),
        ({"type": "integer", "exclusiveMinimum": 4}, 5),
        ({"type": "number", "exclusiveMaximum": 1}, 0.5),
        ({"type": "number", "minimum": 0.1, "maximum": 0.2}, 0.15000000000000002),
        (
            {"allOf": [{"properties": {"a": {"type": "null"}}}, {"properties": {"b": {"const": 1}}}]},
            {"a": None, "b": 1},
        ),
        ({"type": "object", "minProperties": 2}, {"key_0": "sample key_0", "key_1": "sample key_1"}),
        (True, "sample value"),
    ],
)
def test_instance_of_a_particular_schema(schema, value):
    """Each kind of schema has the plainest instance."""
    assert instance(schema) == value


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"anyOf": [{"$ref": "#"}]},
        {"$ref": "#/nowhere/at/all"},
        {"type": "object", "properties": {str(n): {"$ref": "#"} for n in range(30)}},
        {"type": "string", "pattern": "("},
        {"type": "string", "minLength": "many"},
        {"type": "array", "minItems": 10**30},
        {"type": 5, "properties": 5, "required": 5},
        {"type": "integer", "minimum": float("inf"), "multipleOf": 10**400},
    ],
)
def test_hostile_schema_ends_without_an_error(schema):
    """Endless, broken or absurd schemas get a best effort, quickly."""
    instance(schema)

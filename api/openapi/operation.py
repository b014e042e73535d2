"""What a route says of itself to the reader of the API's document."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from marshmallow import Schema

from api.openapi.shape import Shape

View = TypeVar("View", bound=Callable[..., Any])
_ATTRIBUTE = "openapi_operation"
JSON = "application/json"
EVENTS = "text/event-stream"
FORM = "multipart/form-data"
BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `place` is path, query or header."""

    name: str
    place: str
    about: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """One status a route may answer with."""

    status: int
    about: str
    # Media type -> what is sent; of events what each one's data holds.
    content: Mapping[str, Any] = field(default_factory=dict)
    # Names of headers.py.
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """A route. Its view's docstring is its description."""

    tag: str
    summary: str
    answers: tuple[Answer, ...]
    parameters: tuple[Parameter, ...] = ()
    # What the request's body is, as JSON; None where there is none.
    body: type[Schema] | Shape | Mapping[str, Any] | None = None
    body_required: bool = True
    example: Mapping[str, Any] | None = None
    # The media type of the body.
    body_type: str = JSON
    # Whether a key is needed; and whether that is the admin key, and not a tenant's.
    key: bool = True
    admin: bool = False


def documented(operation: Operation) -> Callable[[View], View]:
    """Attach `operation` to a view. Stands under the route's decorator."""

    def attach(view: View) -> View:
        setattr(view, _ATTRIBUTE, operation)
        return view

    return attach


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """What a view was documented with."""
    return getattr(view, _ATTRIBUTE, None)

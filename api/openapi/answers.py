"""The answers that many routes share."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from api.openapi.job_shape import JOB
from api.openapi.operation import EVENTS, JSON, Answer
from api.openapi.routing_shapes import ERROR_ANSWER
from api.openapi.shape import Shape

_REFUSALS: Mapping[int, tuple[str, tuple[str, ...]]] = {
    400: ("The request cannot be served as it stands; `param` names the field at fault.", ()),
    401: ("No key, or not one of ours.", ()),
    404: ("There is no such thing for this key.", ()),
    409: ("It does not go together with what is there already.", ("X-Should-Retry",)),
    413: ("The body is over the limit.", ()),
    415: ("The body is not JSON by its Content-Type.", ()),
    429: ("No provider had room before the deadline.", ()),
    500: ("Every worker that ran the job died.", ()),
    502: ("Every candidate failed; `routing_metadata` says how.", ()),
    503: ("The job store is away: nothing was accepted.", ("Retry-After",)),
    504: (
        "The wait or the deadline ended first. `wait_ended`: the job goes on, at `Location`.",
        ("X-Should-Retry", "Location"),
    ),
}
# With these a job may have ended, and the answer says which.
_ENDS = (400, 409, 429, 500, 502, 504)
_OF_A_JOB = ("X-Job-Id", "Idempotent-Replayed")


def found(shape: Shape, about: str, status: int = 200) -> Answer:
    """An object of ours."""
    return Answer(status, about, {JSON: shape})


def refused(*statuses: int) -> tuple[Answer, ...]:
    """These errors, each in OpenAI's form."""
    return tuple(
        Answer(status, _REFUSALS[status][0], {JSON: ERROR_ANSWER}, _REFUSALS[status][1]) for status in statuses
    )


def served(answer: Shape, event: Any = None) -> tuple[Answer, ...]:
    """What a surface answers: `answer`, its stream of `event`, the job, or an error of the request or of the job."""
    content: dict[str, Any] = {JSON: answer}
    headers: tuple[str, ...] = _OF_A_JOB
    if event is not None:
        content[EVENTS] = event
        headers += ("X-Provider",)
    return (
        Answer(200, "The answer.", content, headers),
        Answer(202, "The job, which goes on.", {JSON: JOB}, ("Location", "Preference-Applied", "X-Job-Id")),
        *(replace(answer, headers=answer.headers + _OF_A_JOB) for answer in refused(*_ENDS)),
        *refused(401, 404, 413, 415, 503),
    )

"""The answers that many routes share."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from api.openapi.headers import LIMITS
from api.openapi.job_shape import JOB
from api.openapi.operation import EVENTS, JSON, Answer
from api.openapi.routing_shapes import ERROR_ANSWER
from api.openapi.shape import Shape

_COME_AGAIN = ("Retry-After", "Retry-After-Ms")
_REFUSALS: Mapping[int, tuple[str, tuple[str, ...]]] = {
    400: ("The request cannot be served as it stands; `param` names the field at fault.", ()),
    401: ("No key, or not one of ours.", ()),
    403: ("A key, but not one that may do this.", ()),
    404: ("There is no such thing for this key.", ()),
    409: ("It does not go together with what is there already.", ("X-Should-Retry",)),
    413: ("The body is over the limit.", ()),
    415: ("The body is not what is wanted by its Content-Type.", ()),
    429: (
        "No provider had room before the deadline; or a limit of the tenant's is reached, and nothing was accepted.",
        (*_COME_AGAIN, "X-Should-Retry"),
    ),
    500: ("Every worker that ran the job died.", ()),
    502: ("Every candidate failed; `routing_metadata` says how.", _COME_AGAIN),
    503: ("The job store, or the storage of files, is away: nothing was accepted.", _COME_AGAIN),
    504: (
        "The wait or the deadline ended first. `wait_ended`: the job goes on, at `Location`.",
        ("X-Should-Retry", "Location"),
    ),
}
# With these a job may have ended, and the answer says which.
_ENDS = (400, 409, 429, 500, 502, 504)
_OF_A_JOB = ("X-Job-Id", "Idempotent-Replayed", *LIMITS)
_ACCEPTED = Answer(202, "The job, which goes on.", {JSON: JOB}, ("Location", "Preference-Applied", "X-Job-Id", *LIMITS))


def found(shape: Shape, about: str, status: int = 200) -> Answer:
    """An object of ours."""
    return Answer(status, about, {JSON: shape})


def refused(*statuses: int, errors: Shape = ERROR_ANSWER) -> tuple[Answer, ...]:
    """These errors, each in OpenAI's form unless `errors` is another."""
    return tuple(Answer(status, _REFUSALS[status][0], {JSON: errors}, _REFUSALS[status][1]) for status in statuses)


def served(
    answer: Shape | Mapping[str, Any],
    event: Any = None,
    *,
    errors: Shape = ERROR_ANSWER,
    accepted: Answer | None = _ACCEPTED,
) -> tuple[Answer, ...]:
    """What a surface answers: `answer`, its stream of `event`, an error of the request or of the job.

    In the background it is `accepted`; None where that is an `answer`, too.
    """
    content: dict[str, Any] = {JSON: answer}
    headers: tuple[str, ...] = _OF_A_JOB if accepted is not None else (*_OF_A_JOB, "Location")
    if event is not None:
        content[EVENTS] = event
        headers += ("X-Provider",)
    return (
        Answer(200, "The answer.", content, headers),
        *(() if accepted is None else (accepted,)),
        *with_headers(refused(*_ENDS, errors=errors), *_OF_A_JOB),
        *refused(401, 404, 413, 415, 503, errors=errors),
    )


def with_headers(answers: tuple[Answer, ...], *names: str) -> tuple[Answer, ...]:
    """The same answers, each with these headers as well."""
    return tuple(replace(answer, headers=answer.headers + names) for answer in answers)

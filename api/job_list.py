"""GET /v1/jobs: a tenant's jobs, newest first."""

import re

from flask import Blueprint, Response, request

from api import replies
from api.context import services
from api.openapi.answers import found, refused
from api.openapi.job_shape import JOB_ENTRY
from api.openapi.operation import Operation, Parameter, documented
from api.openapi.shape import text
from api.page import LIMIT, ORDER, PageAsked, as_list, list_of
from api.principal import authenticate
from routing.errors import InvalidRequest
from routing.job import JobStatus
from workers.ledger.listing import MOST_LOOKED_AT, Selection

blueprint = Blueprint("job_list", __name__)
_JOB_ID = re.compile(r"job_[0-9a-f]{32}")
_LATEST_S = 10**10
_STATUSES = tuple(status.value for status in JobStatus)
_WORDS = f"({'|'.join(_STATUSES)})"
_STATUS = Parameter(
    "status",
    "query",
    "Only jobs of this status, or of these, with commas between them.",
    {"type": "string", "pattern": f"^{_WORDS}(,{_WORDS})*$"},
)
_MODEL = Parameter("model", "query", "Only jobs that asked for this model, in these words.", text())
_PROVIDER = Parameter("provider", "query", "Only jobs for which it was called, or that are on its queue.", text())
_TIME = {"type": "number", "minimum": 0, "maximum": _LATEST_S}
_CREATED_AFTER = Parameter("created_after", "query", "Only jobs accepted at this Unix second or later.", _TIME)
_CREATED_BEFORE = Parameter("created_before", "query", "Only jobs accepted before this Unix second.", _TIME)
_AFTER = Parameter(
    "after",
    "query",
    "The id of the job to begin after: the `last_id` of the page before.",
    {"type": "string", "pattern": "^job_[0-9a-f]{32}$"},
)
JOB_LIST = list_of(
    "JobList",
    JOB_ENTRY,
    f"A page of jobs. It may hold fewer than asked for and `has_more` all the same, where {MOST_LOOKED_AT:,} were "
    "looked at: go on after its `last_id`.",
)


@blueprint.get("/v1/jobs")
@documented(
    Operation(
        tag="Jobs",
        summary="List jobs",
        parameters=(_STATUS, _MODEL, _PROVIDER, _CREATED_AFTER, _CREATED_BEFORE, LIMIT, ORDER, _AFTER),
        answers=(found(JOB_LIST, "A page of the jobs."), *refused(400, 401, 503)),
    )
)
def show() -> Response:
    """The tenant's jobs by when they were accepted, without plans and responses; those that are kept still."""
    principal = authenticate()
    asked, after = PageAsked.of_request(), request.args.get("after")
    wanted = _selection()
    known = after is None or _JOB_ID.fullmatch(after)
    page = known and services().ledger.listing.page(
        principal.tenant_id, wanted, limit=asked.limit, after=after or "", order=asked.order
    )
    if not page:
        raise InvalidRequest(f"after: there is no job {(after or '')[:80]!r} to begin after", param="after")
    return replies.as_json(as_list([job.as_entry() for job in page.jobs], page.last, more=page.more))


def _selection() -> Selection:
    """Which jobs the query wants; InvalidRequest names what is wrong with it."""
    statuses = request.args.get("status")
    words = [] if statuses is None else statuses.split(",")
    for word in words:
        if word not in _STATUSES:
            raise InvalidRequest(f"status: {word[:80]!r} is none; there are: {', '.join(_STATUSES)}", param="status")
    return Selection(
        statuses=frozenset(map(JobStatus, words)),
        model=_name("model"),
        provider=_name("provider"),
        created_after=_moment("created_after"),
        created_before=_moment("created_before"),
    )


def _name(param: str) -> str:
    given = request.args.get(param)
    if given is not None and not 1 <= len(given) <= 256:
        raise InvalidRequest(f"{param}: must be 1 to 256 characters", param=param)
    return given or ""


def _moment(param: str) -> float | None:
    given = request.args.get(param)
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LATEST_S:
        raise InvalidRequest(f"{param}: must be a time in Unix seconds", param=param)
    return seconds

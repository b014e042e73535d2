"""The headers that tell the official SDKs whether, and when, to send a request again by themselves."""

import json
import math

from flask import Response

from routing.job import JobStatus
from workers.ledger.record import Ended

# They do not send it again by themselves when they are asked to wait longer.
MAX_RETRY_AFTER_S = 120
# Ends of jobs that may say when to come again.
_PASSING = frozenset({429, 502, 503})


def tell_wait(response: Response, wait_s: float) -> None:
    """Have the caller come again in `wait_s` seconds, at least one: in whole ones, and in ms for who reads those."""
    wait_s = min(max(1.0, wait_s), MAX_RETRY_AFTER_S)
    response.headers["Retry-After"] = str(math.ceil(wait_s))
    response.headers["Retry-After-Ms"] = str(math.ceil(wait_s * 1000))


def forbid_retry(response: Response) -> None:
    """Keep them from sending the request again, as they do on any 409, 429 and 5xx."""
    response.headers["X-Should-Retry"] = "false"


def of_end(response: Response, end: Ended) -> None:
    """The headers of a job's end. A job whose deadline came has cost what it may: it is not run again unasked."""
    if end.status is JobStatus.CANCELLED or end.http_status == 504:
        forbid_retry(response)
    elif end.http_status in _PASSING:
        metadata = json.loads(end.answer).get("routing_metadata") or {}
        if (wait_s := metadata.get("retry_after")) is not None:
            tell_wait(response, wait_s)

"""Errors of the way between a caller and us: a request that does not come, an answer that is not there any more."""

from routing.errors import JobError, RequestError


class RequestTooSlow(RequestError):
    """The request's bytes come too slowly, or not at all."""

    status = 408
    code = "request_timeout"


class AnswerNotStored(JobError):
    """The answer was delivered once, and not to be stored."""

    status = 410
    type = "invalid_request_error"
    code = "answer_not_stored"
    retryable = False

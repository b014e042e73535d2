"""Every error of the product, as one tree. Each class says its HTTP status, OpenAI `type` and `code`.

RouterError
├── RequestError                  the caller's to mend
│   ├── InvalidRequest        400
│   ├── PreviousResponseNotFound 400
│   ├── NoCandidates          400  no deployment can serve this request; lists why
│   ├── Unauthenticated       401
│   ├── AdminKeyRequired      403  a key, but not the one that opens /admin
│   ├── ModelNotFound         404
│   ├── NotFound              404
│   ├── IdempotencyConflict   409
│   ├── JobNotCancellable     409
│   ├── BatchNotCancellable   409
│   ├── TooManyBatches        429  of this tenant that have not ended
│   ├── JobNotReplayable      409
│   ├── WebhookConflict       409
│   ├── BodyTooLarge          413
│   └── UnsupportedContentType 415
├── LimitReached              429  a limit of the tenant's own; nothing was accepted
│   ├── TooManyRequests            requests in a minute, or jobs at a time
│   ├── TooManyTokens              tokens in a minute
│   ├── RequestTooLarge            more tokens than the limit lets through at any time
│   └── QuotaExhausted             a day's or a month's
├── StoreUnavailable          503  Redis is away or full
├── StorageUnavailable        503  the place of files is away, full or forbidden
├── WaitEnded                 504  the wait ended, the job goes on
├── JobError                       how a job ended without an answer
│   ├── AllProvidersFailed    502
│   ├── CapacityExceeded      429  no provider had room before the deadline
│   ├── DeadlineExceeded      504
│   ├── StreamInterrupted     502  the answer broke off after its first part was sent
│   ├── JobCancelled          409
│   ├── JobAbandoned          500  every worker that ran the job died
│   └── RefusedByProvider     400  the provider's own words on a request it will not serve
│       └── PromptTooLong     400  no candidate has the context for it
└── ProviderError                  what one attempt met; `next_step` is read by routing/retry.py
    ├── ProviderUnreachable        refused, reset, TLS, DNS
    ├── ProviderTimeout
    │   └── PatienceEnded          the caller's time was up, sooner than a provider can be blamed
    ├── ProviderFailed             5xx, 529
    ├── MalformedAnswer            2xx that is not the dialect
    ├── ProviderRateLimited        429
    ├── ProviderMisconfigured      401, 403, 404: ours to mend, never shown as the caller's
    ├── ProviderRefused            400: the request itself
    ├── ContextLengthExceeded      400, by the provider's structured code
    ├── NotExpressible             this dialect cannot say the request; no call was made
    └── BreakerOpen                a circuit breaker forbids the call; no call was made
"""

from enum import Enum
from typing import Any, ClassVar


class NextStep(Enum):
    """What a failed attempt calls for; routing/retry.py decides within these."""

    RETRY = "retry"
    FAILOVER = "failover"
    DEFER = "defer"
    STOP = "stop"


class RouterError(Exception):
    """Base of the tree. `message` is shown to the caller and says what to do."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "api_error"
    code: ClassVar[str | None] = None
    # False where sending the same request again would do harm or no good, whatever its status suggests to a client.
    retryable: ClassVar[bool] = True

    def __init__(self, message: str, *, param: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, Any]:
        """The error in OpenAI's form, all four keys."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class RequestError(RouterError):
    """The request cannot be served as it stands."""

    status = 400
    type = "invalid_request_error"


class InvalidRequest(RequestError):
    """A field is missing, of the wrong type or out of range; `param` names it."""


class PreviousResponseNotFound(RequestError):
    """The response to go on from is not there: never was, is another tenant's, was not kept, or is no more."""

    code = "previous_response_not_found"


class NoCandidates(RequestError):
    """No deployment can serve this request; the message lists each exclusion with its reason."""

    code = "no_candidates"


class Unauthenticated(RequestError):
    """No key, or not one of ours."""

    status = 401
    code = "invalid_api_key"


class AdminKeyRequired(RequestError):
    """A key came, and is not the one that opens /admin."""

    status = 403
    code = "admin_key_required"


class ModelNotFound(RequestError):
    """The model is neither an alias nor a deployment."""

    status = 404
    code = "model_not_found"


class NotFound(RequestError):
    """No such thing for this tenant."""

    status = 404
    code = "not_found"


class IdempotencyConflict(RequestError):
    """The Idempotency-Key was used with another body."""

    status = 409
    code = "idempotency_key_reused"
    retryable = False


class JobNotCancellable(RequestError):
    """The job has already ended."""

    status = 409
    code = "job_not_cancellable"
    retryable = False


class BatchNotCancellable(RequestError):
    """The batch has ended, or its files are being made."""

    status = 409
    code = "batch_not_cancellable"


class TooManyBatches(RequestError):
    """So many batches of the tenant have not ended that no more are accepted."""

    status = 429
    code = "too_many_batches"


class JobNotReplayable(RequestError):
    """The job has its answer, has not ended, or what it was asked is not kept."""

    status = 409
    code = "job_not_replayable"
    retryable = False


class WebhookConflict(RequestError):
    """It does not go together with how the webhook's endpoint, secret or delivery stands."""

    status = 409
    code = "webhook_conflict"
    retryable = False


class BodyTooLarge(RequestError):
    """The request body is over the limit."""

    status = 413
    code = "request_too_large"


class UnsupportedContentType(RequestError):
    """The request says itself that its body is not JSON, or not a form where a file is uploaded."""

    status = 415
    code = "unsupported_content_type"


class StoreUnavailable(RouterError):
    """Redis is away, slow or full: nothing was accepted, try again."""

    status = 503
    type = "service_unavailable_error"
    code = "store_unavailable"


class StorageUnavailable(RouterError):
    """The place where files are kept is away, full or forbidden: nothing was stored or removed, try again."""

    status = 503
    type = "service_unavailable_error"
    code = "storage_unavailable"


class WaitEnded(RouterError):
    """The wait ended before the job did; the job goes on and can be polled."""

    status = 504
    type = "timeout_error"
    code = "wait_ended"
    retryable = False

    def __init__(self, message: str, *, job_id: str) -> None:
        super().__init__(message)
        self.job_id = job_id


class JobError(RouterError):
    """How a job ended without an answer."""


class AllProvidersFailed(JobError):
    """Every candidate was tried and failed."""

    status = 502
    code = "all_providers_failed"


class CapacityExceeded(JobError):
    """No provider had room for the job before its deadline."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"


class DeadlineExceeded(JobError):
    """The job's deadline came before its answer."""

    status = 504
    type = "timeout_error"
    code = "deadline_exceeded"
    # An SDK that repeats it by itself makes its caller wait, and pay, for each time.
    retryable = False


class StreamInterrupted(JobError):
    """The answer broke off after a part of it was sent: what was sent cannot be taken back."""

    status = 502
    code = "stream_interrupted"


class JobCancelled(JobError):
    """The job was cancelled."""

    status = 409
    type = "invalid_request_error"
    code = "job_cancelled"


class JobAbandoned(JobError):
    """Every worker that ran the job died; it is not run again."""

    status = 500
    code = "job_abandoned"


class RefusedByProvider(JobError):
    """A provider refused the request itself; the message is the provider's."""

    status = 400
    type = "invalid_request_error"
    code = "provider_refused"


class PromptTooLong(RefusedByProvider):
    """The prompt is longer than every candidate takes; the code is OpenAI's, which callers look for to shorten it."""

    code = "context_length_exceeded"


class ProviderError(RouterError):
    """What one attempt met. Raised only at an adapter's edge and read by the executor."""

    status = 502
    next_step: ClassVar[NextStep] = NextStep.RETRY
    # Whether it speaks of the deployment's health (a rate limit or a bad request does not).
    unhealthy: ClassVar[bool] = True
    # Whether an unhealthy one counts for the circuit breakers.
    trips: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        upstream_status: int | None = None,
        retry_after_s: float | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message, param=param, retry_after_s=retry_after_s)
        self.upstream_status = upstream_status


class ProviderUnreachable(ProviderError):
    """The connection was refused, reset or never made."""

    code = "provider_unreachable"


class ProviderTimeout(ProviderError):
    """The call took longer than it may."""

    code = "provider_timeout"


class PatienceEnded(ProviderTimeout):
    """The tenant's `timeout_ms` or the job's deadline cut the call short, sooner than a provider can be blamed."""

    trips = False


class ProviderFailed(ProviderError):
    """The provider answered 5xx (or 529, overloaded)."""

    code = "provider_failed"


class MalformedAnswer(ProviderError):
    """The provider answered 2xx with something that is not its dialect."""

    code = "malformed_answer"


class ProviderRateLimited(ProviderError):
    """The provider answered 429: capacity, not health. `retry_after_s` where it said when."""

    code = "provider_rate_limited"
    next_step = NextStep.DEFER
    unhealthy = False


class ProviderMisconfigured(ProviderError):
    """The provider answered 401, 403 or 404: the key, the right or the model is ours to mend."""

    code = "provider_misconfigured"
    next_step = NextStep.FAILOVER
    # Waiting mends nothing here, and made-up model names must not shut an account to everybody.
    trips = False


class ProviderRefused(ProviderError):
    """The provider answered 400: it will not serve this request, nor would another."""

    status = 400
    type = "invalid_request_error"
    code = "provider_refused"
    next_step = NextStep.STOP
    unhealthy = False


class ContextLengthExceeded(ProviderRefused):
    """The prompt is too long for this deployment; a larger context may do."""

    code = "context_length_exceeded"
    next_step = NextStep.FAILOVER


class NotExpressible(ProviderRefused):
    """The dialect has no words for something the request needs, and as a rule no call was made."""

    code = "not_expressible"
    next_step = NextStep.FAILOVER


class BreakerOpen(ProviderError):
    """A circuit breaker forbids the call and nobody else can take the job; no call was made."""

    code = "circuit_breaker_open"
    next_step = NextStep.DEFER
    unhealthy = False

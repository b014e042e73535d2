"""One call to one deployment: made with one of its account's keys, and what it met as a value."""

import time
from dataclasses import dataclass, replace

import structlog

from config.configuration import ConfigurationError
from routing.catalogue import Deployment
from routing.errors import KeyRefused, PatienceEnded, ProviderError, ProviderMisconfigured, ProviderRateLimited
from routing.plan import Candidate
from workers.concurrency import AdaptiveConcurrency
from workers.continuation import PREFIX
from workers.exchange import LEAST_S, Met, exchange
from workers.ledger.claimed import Claimed
from workers.limits import NOTHING, Lesson
from workers.live import LiveCall
from workers.own_keys.upstreams import OwnUpstreams
from workers.providers.base import Completion, Reply
from workers.upstreams import Keys, Upstreams

log = structlog.get_logger()

# What an attempt's credential is called that was the tenant's own.
OWN = "tenant"


@dataclass(frozen=True, slots=True)
class Called:
    """A call that has ended. `started_at` is Unix seconds."""

    candidate: Candidate
    result: Completion | ProviderError
    started_at: float
    duration_ms: float
    # What the answer told of the provider's limits.
    lesson: Lesson
    # OWN, or empty where it was made with the account that all tenants share.
    credential: str = ""


class Calls:
    """Makes calls. One per process; any number are under way at once."""

    def __init__(self, upstreams: Upstreams, own: OwnUpstreams, concurrency: AdaptiveConcurrency) -> None:
        self._upstreams = upstreams
        self._own = own
        self._concurrency = concurrency

    @property
    def crowded(self) -> bool:
        """Whether as many calls are under way as the worker's provider takes."""
        return self._concurrency.crowded

    def can_reach(self, job: Claimed, provider: str) -> bool:
        """Whether this process can call the provider for `job` at all."""
        if provider in job.own:
            return self._upstreams.row(provider) is not None
        try:
            self._keys(provider)
        except ProviderMisconfigured:
            return False
        return True

    def goes_on(self, candidate: Candidate) -> bool:
        """Whether the candidate can go on with an answer that another has begun, as its row in providers.json says."""
        deployment = candidate.deployment
        config = self._upstreams.row(deployment.provider)
        row = None if config is None else config.models.get(deployment.model)
        return row is not None and PREFIX in (row.capabilities or ())

    def make(self, job: Claimed, candidate: Candidate, remaining_s: float, live: LiveCall | None = None) -> Called:
        """Call `candidate` for `job`, whose deadline is in `remaining_s`; the value says what it met.

        `live` takes the answer of a streamed call while it comes in.
        """
        # The concurrency is that of the worker's own provider; a hedge at another one is not counted.
        own = candidate.deployment.provider == job.plan.candidates[job.candidate].deployment.provider
        came = time.monotonic()
        under_way = self._concurrency.begin(remaining_s) if own else 0.0
        if under_way is None:
            crowd = ProviderRateLimited(f"{candidate.deployment.provider} took no more calls at once")
            return Called(candidate, crowd, time.time(), 0.0, NOTHING)
        lesson, credential = NOTHING, ""
        left_s = remaining_s - (time.monotonic() - came)
        try:
            if candidate.deployment.provider in job.own:
                met, lesson, credential = self._with_own_key(job, candidate, left_s, live)
            else:
                met, lesson = self._by_turns(job, candidate, left_s, live)
        finally:
            if own:
                self._concurrency.end(under_way, crowded=lesson.crowded)
        return Called(candidate, met.result, met.started_at, met.duration_ms, lesson, credential)

    def _with_own_key(
        self, job: Claimed, candidate: Candidate, remaining_s: float, live: LiveCall | None
    ) -> tuple[Met, Lesson, str]:
        """Call with the key that the tenant brought; then with the shared account's only where the tenant says so."""
        deployment, began = candidate.deployment, time.monotonic()
        provider = deployment.provider
        try:
            own = self._own.get(job.tenant, provider, job.own[provider], remaining_s)
        except (ProviderMisconfigured, PatienceEnded) as error:
            return Met(error, None, time.time(), 0.0), NOTHING, OWN
        met = exchange(job, own.upstream, deployment.model, remaining_s - (time.monotonic() - began), live)
        if isinstance(met.result, KeyRefused) and met.reply is not None:
            log.warning(
                "provider.own_key_refused", tenant=job.tenant, provider=provider, status=met.result.upstream_status
            )
            left_s = remaining_s - (time.monotonic() - began)
            if own.fallback_to_shared and own.upstream.config.usable and left_s > LEAST_S:
                return *self._by_turns(job, candidate, left_s, live), ""
        if met.reply is None:
            return met, NOTHING, OWN
        failure = met.result if isinstance(met.result, ProviderError) else None
        lesson = own.upstream.limits.read(f"{job.tenant}@{deployment.id}", met.reply, failure)
        # How many calls the tenant's account takes at once bounds nobody else's.
        return met, replace(lesson, crowded=False) if lesson.crowded else lesson, OWN

    def _by_turns(
        self, job: Claimed, candidate: Candidate, remaining_s: float, live: LiveCall | None
    ) -> tuple[Met, Lesson]:
        """Call with one key after the other, until one is not refused: that is one attempt, timed by its last call."""
        deployment, began = candidate.deployment, time.monotonic()
        try:
            keys = self._keys(deployment.provider)
        except ProviderMisconfigured as error:
            return Met(error, None, time.time(), 0.0), NOTHING
        refused: list[Met] = []
        for upstream in keys.turn(deployment.model):
            left_s = remaining_s - (time.monotonic() - began)
            if refused and left_s <= LEAST_S:
                break
            met = exchange(job, upstream, deployment.model, left_s, live)
            failure = met.result if isinstance(met.result, ProviderError) else None
            settled = keys.settles(upstream, deployment.model, met.result)
            if met.reply is None:
                # Nothing came, or a stream broke off, of which the caller may have a part: no other key mends that.
                return met, NOTHING
            if settled:
                return met, upstream.limits.read(deployment.id, met.reply, failure, upstream.key)
            if failure is not None:
                upstream.limits.note(deployment.id, met.reply, failure, upstream.key)
            refused.append(met)
        return _all_rest(keys, deployment, refused)

    def _keys(self, provider: str) -> Keys:
        try:
            keys = self._upstreams.get(provider)
        except ConfigurationError as error:
            # A key or header that cannot be sent: the operator's to mend, and no reason to lose the job.
            raise ProviderMisconfigured(f"{provider} is not usable: {error}") from error
        if keys is None:
            raise ProviderMisconfigured(f"{provider} is no longer configured on this worker")
        return keys


def _all_rest(keys: Keys, deployment: Deployment, refused: list[Met]) -> tuple[Met, Lesson]:
    """What a call met whose keys were all refused: the limit of the one that is back first, if that is what it has."""
    wait_s = keys.room_in_s(deployment.model)
    if wait_s is None:
        return refused[-1], NOTHING
    met = next((met for met in reversed(refused) if isinstance(met.result, ProviderRateLimited)), refused[-1])
    assert isinstance(met.result, ProviderError)
    full = ProviderRateLimited(met.result.message, upstream_status=met.result.upstream_status, retry_after_s=wait_s)
    lesson = keys.first.limits.read(deployment.id, met.reply or Reply(429, {}, b""), full)
    # What a key was refused for says nothing of crowds.
    crowded = lesson.crowded and isinstance(met.result, ProviderRateLimited)
    return replace(met, result=full), replace(lesson, crowded=crowded)

"""A trace's line: what goes in comes out, and what is wrong with one is said by field."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.provider import Price, PriceTier
from routing.asked import Asked
from routing.catalogue import Deployment, Exclusion
from routing.job import AttemptStatus, JobStatus, ServiceTier, Usage
from routing.plan import Candidate
from routing.preferences import Sort
from routing.request import RoutingRequest
from routing.trace import TracedAttempt, TracedJob
from routing.trace_fields import TraceError

names = st.text("abcdef/-.:", min_size=1, max_size=12)
counts = st.integers(0, 10**15)
moments = st.floats(0, 1e9)
spans = st.floats(0, 86_400)
rates = st.decimals(0, 100, places=4)
prices = st.none() | st.builds(
    Price,
    rates,
    rates,
    st.none() | rates,
    names,
    st.lists(st.builds(PriceTier, counts, rates, rates), max_size=2).map(tuple),
)
deployments = st.builds(Deployment, names, names, prices, st.none() | counts)
bounds = st.lists(st.tuples(st.floats(0.01, 0.99), moments), max_size=2).map(tuple)
askeds = st.builds(
    Asked,
    prompt_tokens=counts,
    max_tokens=st.none() | counts,
    needs=st.lists(names, max_size=2).map(tuple),
    models=st.lists(names, max_size=2).map(tuple),
    order=st.lists(names, max_size=2).map(tuple),
    sort=st.none() | st.sampled_from(Sort),
    sort_across_models=st.booleans(),
    allow_fallbacks=st.booleans(),
    preferred_max_latency_ms=bounds,
    preferred_min_throughput=bounds,
)
attempts = st.builds(
    lambda status, code, **fields: TracedAttempt(
        status=status, error_code=code if status is AttemptStatus.FAILED else None, **fields
    ),
    st.sampled_from(AttemptStatus),
    names,
    provider=names,
    model=names,
    started_at=moments,
    duration_ms=moments,
    cost_microusd=st.none() | counts,
    hedge=st.booleans(),
)
jobs = st.builds(
    TracedJob,
    id=names,
    created_at=moments,
    status=st.sampled_from([JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.EXPIRED]),
    tenant=names,
    tier=st.sampled_from(ServiceTier),
    model=names,
    policy=names,
    deadline_s=spans,
    candidates=st.lists(
        st.builds(Candidate, deployments, st.floats(0, 1), tier=st.integers(0, 10**7)), min_size=1, max_size=3
    ).map(tuple),
    passed_over=st.lists(st.builds(Exclusion, names, names, names), max_size=2).map(tuple),
    attempts=st.lists(attempts, max_size=3).map(tuple),
    asked=st.none() | askeds,
    usage=st.none() | st.builds(Usage, counts, counts, counts, counts),
    max_tries=st.none() | st.integers(1, 10),
    circuit_breaker=st.booleans(),
)
GOOD = TracedJob(
    "job_1",
    1.0,
    JobStatus.COMPLETED,
    "acme",
    ServiceTier.DEFAULT,
    "fast",
    "balanced",
    60.0,
    (Candidate(Deployment("groq", "m", Price(Decimal("0.1"), Decimal("0.5"))), 0.5),),
    attempts=(TracedAttempt("groq", "m", AttemptStatus.FAILED, 1.0, 2.0, "provider_failed"),),
    asked=Asked(3),
    usage=Usage(1, 2, 0, 0),
)


@given(jobs)
def test_a_line_is_read_as_it_was_written(job):
    """Every job survives its line."""
    assert TracedJob.from_line(job.to_line().encode()) == job


@given(askeds, names)
def test_what_was_asked_is_asked_again(asked, model):
    """The request made of a record is kept as that record again, but for what the plan holds already."""
    again = Asked.of(asked.request(model, 3))
    assert again == Asked(**{field: getattr(asked, field) for field in asked.__slots__ if field != "needs"})


def test_absurd_figures_are_kept_as_what_can_be_read():
    """A max_tokens beyond all reason, which callers may send, does not spoil a trace."""
    kept = Asked.of(RoutingRequest("fast", max_tokens=10**30))
    assert Asked.from_wire(kept.to_wire()) == kept


def test_what_is_usual_takes_no_room():
    """A plain request is kept in a few bytes."""
    assert Asked.of(RoutingRequest("fast", prompt_tokens=7)).to_wire() == {"prompt_tokens": 7}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("v", 2), ("v", None), ("id", 5), ("status", "queued"), ("created_at", -1), ("created_at", 10**400)),
        *(("service_tier", "slow"), ("candidates", []), ("candidates", [5]), ("attempts", None), ("deadline_s", True)),
        *(("asked", []), ("usage", {"prompt_tokens": -1}), ("max_tries", "2"), ("circuit_breaker", None)),
        *(("asked", {"order": "groq"}), ("asked", {"sort": []}), ("asked", {"max_tokens": 1.5})),
        *(("asked", {"allow_fallbacks": 1}), ("asked", {"preferred_max_latency_ms": "1"}), ("passed_over", [{}])),
    ],
)
def test_what_is_wrong_is_named(field, value):
    """A field that is not as it should be is refused by its name."""
    wire = {**json.loads(GOOD.to_line()), field: value}
    with pytest.raises(TraceError, match=next(iter(value)) if isinstance(value, dict) else f"^{field}:|^provider:"):
        TracedJob.from_line(json.dumps(wire).encode())


@pytest.mark.parametrize(
    "price", ["x", [], ["1", "x", None, "config", []], ["NaN", "1", None, "config", []], ["-1", "1", None, "c", []], 5]
)
def test_a_broken_price_is_refused(price):
    """A price that is none is refused by its name."""
    wire = json.loads(GOOD.to_line())
    wire["candidates"][0]["price"] = price
    with pytest.raises(TraceError, match="price: expected"):
        TracedJob.from_line(json.dumps(wire).encode())


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_junk_is_refused(line):
    """Whatever is no line of a trace ends in the one error."""
    with pytest.raises(TraceError):
        TracedJob.from_line(line)


@given(
    st.sampled_from(sorted(json.loads(GOOD.to_line()))),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.text())
    | st.dictionaries(st.text(), st.text()),
)
def test_a_changed_field_is_read_or_refused(field, value):
    """One field of anything never ends in another error."""
    line = json.dumps({**json.loads(GOOD.to_line()), field: value}).encode()
    try:
        read = TracedJob.from_line(line)
    except TraceError:
        return
    assert TracedJob.from_line(read.to_line().encode()) == read


def test_an_embedding_stays_one():
    """What is kept of an embeddings request is asked again as one: its input counts, and that it fits is known."""
    request = RoutingRequest.from_embeddings({"model": "m", "input": ["x" * 400] * 3})
    kept = Asked.from_wire(json.loads(json.dumps(Asked.of(request).to_wire())))
    again = kept.request("m", request.priority)
    assert again.embeds
    assert (again.prompt_tokens, again.completion_tokens, again.context_tokens) == (303, 0, 0)

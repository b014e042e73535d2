"""Bodies of the admin API: whatever is sent is refused in words, or makes a record that can be read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import InvalidRequest
from workers.access.key_record import KeyRecord, new_key
from workers.access.tenant_record import TenantRecord
from workers.requests.admin_schema import check_key, check_key_change, check_rotation, check_tenant, check_tenant_change

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
WORDS = st.sampled_from(["groq", "fast", "balanced", "daily_requests", "enabled", "active", "n"])
JSON = st.recursive(
    SCALARS | WORDS | st.integers(0, 100),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        *("tenant_id", "name", "expires_at", "limits", "models", "providers", "metadata", "grace_s"),
        *("quotas", "features", "status", "routing_policy", "batch_weight", "api_keys"),
    ]
)
PLAUSIBLE = {
    "tenant_id": WORDS,
    "name": st.text(max_size=8),
    "limits": st.dictionaries(st.just("daily_requests"), st.integers(0, 9) | st.none()),
    "models": st.none() | st.lists(WORDS, min_size=1, unique=True),
    "quotas": st.dictionaries(st.just("daily_requests"), st.integers(0, 9)),
    "providers": st.fixed_dictionaries({"enabled": st.lists(WORDS, unique=True)}),
    "status": st.sampled_from(["active", "suspended"]),
}
BODIES = st.dictionaries(NAMES, JSON, max_size=4)


@pytest.mark.parametrize("check", [check_key, check_key_change, check_rotation, check_tenant, check_tenant_change])
@given(body=BODIES)
def test_whatever_is_sent_is_taken_or_refused(check, body):
    """Nothing but InvalidRequest comes of it, with the field at fault."""
    refusal = refused(check, body)
    assert refusal is None or (refusal.param and refusal.message.startswith(refusal.param))


def refused(check, body):
    """What the body is refused with; None where it is taken."""
    try:
        check(body)
    except InvalidRequest as error:
        return error
    return None


@given(fields=st.fixed_dictionaries({name: PLAUSIBLE[name] for name in ("tenant_id", "quotas", "providers", "status")}))
def test_a_tenant_that_is_taken_can_be_read_again(fields):
    """Its record survives its text, and makes a tenant."""
    check_tenant(fields)
    record = TenantRecord(fields["tenant_id"], {k: v for k, v in fields.items() if k != "tenant_id"}, 1, 1)
    again = TenantRecord.parse(record.text)
    assert again == record
    assert again.tenant().active == (fields["status"] == "active")
    assert again.as_object()["quotas"] == fields["quotas"]


@given(fields=st.fixed_dictionaries({name: PLAUSIBLE[name] for name in ("limits", "models")}))
def test_a_key_that_is_taken_can_be_read_again(fields):
    """Its record survives its text, and bounds its caller."""
    check_key({"tenant_id": "acme", **fields})
    models = None if fields["models"] is None else tuple(fields["models"])
    record, _ = new_key("acme", None, {"limits": fields["limits"], "models": models})
    again = KeyRecord.parse(record.text)
    assert again == record
    assert again.access_key().quotas.daily_requests == fields["limits"].get("daily_requests")


def test_a_record_too_large_for_every_memory_is_refused(ledger):
    """A tenant of more than 64 KiB is not kept."""
    with pytest.raises(InvalidRequest, match="65536"):
        ledger.access.create_tenant(TenantRecord("acme", {"description": "x" * 70_000}, 1, 1))

"""Limits of keys that are made at run time."""

import pytest

from tests.support.process_node import wait_until
from tests.support.stack import chat

pytestmark = pytest.mark.integration


def test_a_keys_limits_hold_beside_its_tenants(stack):
    """A key may send as often as its own limit says, whatever its tenant may; a change of it is in force."""
    limits = {"rate_limit_per_minute": 1, "daily_usd": 2.5}
    made = stack.admin("POST", "/keys", {"tenant_id": "default", "limits": limits}).json()
    assert made["limits"] == limits
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert [stack.post(chat(), headers=headers).status_code for _ in range(2)] == [200, 429]
    assert stack.post(chat()).status_code == 200
    stack.admin("PATCH", f"/keys/{made['id']}", {"limits": {"daily_usd": 0}})
    wait_until(lambda: stack.post(chat(), headers=headers).status_code == 429, what="the budget")
    stack.admin("PATCH", f"/keys/{made['id']}", {"limits": {}})
    assert stack.post(chat(), headers=headers).status_code == 200
    silent = stack.admin("PATCH", f"/keys/{made['id']}", {"limits": {"monthly_usd": 1, "budget_warning": None}}).json()
    assert silent["limits"] == {"monthly_usd": 1, "budget_warning": None}
    stack.admin("DELETE", f"/keys/{made['id']}")

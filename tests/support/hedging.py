"""A configuration in which groq is called first and hedged, and what makes it known to be quick."""

import json
import time
from pathlib import Path
from typing import Any

from tests.support.process_node import wait_until
from tests.support.stack import Stack, chat, copy_configuration

FIRST, SECOND = "groq/openai/gpt-oss-20b", "hugging-face/openai/gpt-oss-20b"
# What groq's calls are said to have taken, so that they are hedged soon after.
USUAL_MS = 100
CALLS, TOKENS = 20, 16


def hedged_configuration(folder: Path, *, reserve: int = 1_000_000) -> Path:
    """The shipped configuration with `pair`: groq first, Hugging Face beside it, and so many hedges at once."""
    copy_configuration(folder)
    _edit(folder / "models.json", pair=[FIRST, SECOND])
    tenant = json.loads((folder / "tenants" / "default.json").read_text())
    _edit(folder / "tenants" / "default.json", providers={**tenant["providers"], "primary": "groq"})
    policies = json.loads((folder / "policies" / "routing.json").read_text())
    _edit(folder / "policies" / "routing.json", balanced={**policies["balanced"], "hedge": True, "exploration": 0})
    (folder / "policies" / "breaker.json").write_text('{"minimum_number_of_calls": 1000000}')
    budget = {"budget_percent": 0, "budget_reserve": reserve}
    (folder / "policies" / "retry.json").write_text(json.dumps(budget))
    return folder


def make_known(stack: Stack) -> None:
    """Have it that groq answers within USUAL_MS, and wait until plans count on it."""
    n, x, y = CALLS, TOKENS, USUAL_MS
    now_ms = int(time.time() * 1000)
    sums = (n, n * x, n * x * x, n * y, n * y * y, n * x * y)
    stack.redis.client.hset("mr:health", FIRST, " ".join(map(str, (n, n, 0, *sums, now_ms, now_ms))))

    def planned() -> bool:
        plan = stack.post(chat(model="pair"), path="/v1/routing/plan").json()
        return USUAL_MS < plan.get("hedge_after_ms", 0) < 2 * USUAL_MS

    wait_until(planned, what="a plan that hedges")


def told(attempts: list[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    """Each attempt's provider and status, and whether it was a hedge."""
    return [(attempt["provider"], attempt["status"], attempt.get("hedge", False)) for attempt in attempts]


def _edit(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

"""GET /v1/limits: how the caller's limits and budgets stand."""

import math
from typing import Any

from flask import Blueprint, Response

from api import replies
from api.context import services
from api.openapi.answers import found, refused
from api.openapi.limit_shapes import LIMITS
from api.openapi.operation import Operation, documented
from api.principal import authenticate
from workers.budgets import is_budget
from workers.ledger.budgets import KEY_SCOPE, LimitStanding
from workers.tenant_limits import limit_words

blueprint = Blueprint("limits", __name__, url_prefix="/v1/limits")


@blueprint.get("")
@documented(
    Operation(
        tag="Limits",
        summary="See how your limits and budgets stand",
        answers=(found(LIMITS, "Those of the tenant, then those of the key."), *refused(401, 503)),
    )
)
def index() -> Response:
    """Every limit and budget of the tenant and of the key, and what is used of it. To ask counts for nothing."""
    principal = authenticate()
    words = limit_words(principal.tenant, principal.key.id, principal.key.quotas)
    standings = services().ledger.budgets.standings(words) if words else []
    return replies.as_json({"object": "list", "data": [_shown(standing) for standing in standings]})


def _shown(standing: LimitStanding) -> dict[str, Any]:
    unit = 1e6 if is_budget(standing.name) else 1
    left = max(standing.limit - standing.used, 0)
    return {
        "object": "limit",
        "scope": "key" if standing.scope.startswith(KEY_SCOPE) else "tenant",
        "name": standing.name,
        "limit": standing.limit / unit,
        "used": standing.used / unit,
        "held": standing.held / unit,
        "remaining": left / unit,
        "reset_s": math.ceil(standing.reset_ms / 1000),
    }

"""GET /admin/v1/usage: what all tenants have used, for the operator."""

from flask import Blueprint, Response, request

from api.admin_key import require_admin
from api.context import services
from api.openapi.answers import refused
from api.openapi.operation import JSON, Answer, Operation, Parameter, documented
from api.openapi.shape import text
from api.openapi.usage_shapes import USAGE
from api.usage_query import CSV, END, FORMAT, MOST_READ, START, UsageAsked, group_by
from routing.errors import InvalidRequest
from workers.usage.table import DIMENSIONS

blueprint = Blueprint("admin_usage", __name__)
_TENANT = Parameter("tenant", "query", "Only this tenant's.", text())


@blueprint.get("/admin/v1/usage")
@documented(
    Operation(
        tag="Admin",
        summary="What all tenants have used",
        parameters=(START, END, group_by(DIMENSIONS), _TENANT, FORMAT),
        answers=(
            Answer(200, "The usage, in the order of what it is summed up by.", {JSON: USAGE, CSV: text()}),
            *refused(400, 401, 403, 404, 503),
        ),
        admin=True,
    )
)
def show() -> Response:
    """As `/v1/usage`, over all tenants, also those that are there no more."""
    require_admin()
    asked = UsageAsked.of_request(DIMENSIONS)
    return asked.answer(services().ledger.usage.entries(_days(asked)))


def _days(asked: UsageAsked) -> list[tuple[str, str]]:
    """Each tenant's days on which it used something; InvalidRequest where they are too many."""
    only, log = request.args.get("tenant"), services().ledger.usage
    days: list[tuple[str, str]] = []
    for day in asked.days():
        days += [(tenant, day) for tenant in sorted(set(log.tenants(day))) if only in (None, tenant)]
        if len(days) > MOST_READ:
            raise InvalidRequest(
                f"start: more than {MOST_READ:,} days of tenants are more than one answer is made of; ask for fewer",
                param="start",
            )
    return days

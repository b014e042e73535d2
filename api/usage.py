"""GET /v1/usage: what a tenant has used, summed up as it asks."""

from flask import Blueprint, Response

from api.context import services
from api.openapi.answers import refused
from api.openapi.operation import JSON, Answer, Operation, documented
from api.openapi.shape import text
from api.openapi.usage_shapes import USAGE
from api.principal import authenticate
from api.usage_query import CSV, END, FORMAT, START, TENANT_DIMENSIONS, UsageAsked, group_by

blueprint = Blueprint("usage", __name__)


@blueprint.get("/v1/usage")
@documented(
    Operation(
        tag="Usage",
        summary="What was used",
        parameters=(START, END, group_by(TENANT_DIMENSIONS), FORMAT),
        answers=(
            Answer(200, "The usage, in the order of what it is summed up by.", {JSON: USAGE, CSV: text()}),
            *refused(400, 401, 503),
        ),
    )
)
def show() -> Response:
    """The tenant's requests, tokens and cost of some days (in UTC), written in the step that ended each job.

    What has used nothing has no row. What is not known is null: the key of a job older than keys, for example.
    """
    principal = authenticate()
    asked = UsageAsked.of_request(TENANT_DIMENSIONS)
    days = [(principal.tenant_id, day) for day in asked.days()]
    return asked.answer(services().ledger.usage.entries(days))

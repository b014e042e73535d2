"""POST /v1/completions: OpenAI's legacy text completions."""

from flask import Blueprint, Response

from api.json_body import read_json_object
from api.openapi.answers import served
from api.openapi.completion_shapes import TEXT_COMPLETION, TEXT_EVENT
from api.openapi.headers import IDEMPOTENCY_KEY, LAST_SEEN, PREFER
from api.openapi.operation import Operation, documented
from api.principal import authenticate
from api.serving import serve
from workers.requests import legacy_schema
from workers.requests.demand import Demand
from workers.surfaces.completions import chat_request, echo_of
from workers.surfaces.registry import COMPLETIONS

blueprint = Blueprint("legacy_completions", __name__)


@blueprint.post("/v1/completions")
@documented(
    Operation(
        tag="Completions",
        summary="Ask for a legacy text completion",
        parameters=(IDEMPOTENCY_KEY, PREFER, LAST_SEEN),
        body=legacy_schema.LegacyCompletionSchema,
        example={"model": "fast", "prompt": "Hello!"},
        answers=served(TEXT_COMPLETION, TEXT_EVENT),
    )
)
def text_completions() -> Response:
    """Accept a text completion; answer with it when it is there, or at once with its job."""
    principal = authenticate()
    body = read_json_object()
    legacy_schema.check(body)
    return serve(principal, Demand(COMPLETIONS, chat_request(body), echo_of(body)))

"""POST /v1/chat/completions: the front door."""

from flask import Blueprint, Response

from api.json_body import read_json_object
from api.openapi.answers import served
from api.openapi.completion_shapes import CHAT_COMPLETION, CHAT_EVENT
from api.openapi.headers import IDEMPOTENCY_KEY, LAST_SEEN, PREFER
from api.openapi.operation import Operation, documented
from api.principal import authenticate
from api.serving import serve
from workers.requests import chat_schema
from workers.requests.demand import Demand
from workers.surfaces.registry import CHAT

blueprint = Blueprint("completions", __name__)


@blueprint.post("/v1/chat/completions")
@documented(
    Operation(
        tag="Completions",
        summary="Ask for a chat completion",
        parameters=(IDEMPOTENCY_KEY, PREFER, LAST_SEEN),
        body=chat_schema.ChatCompletionSchema,
        example={"model": "fast", "messages": [{"role": "user", "content": "Hello!"}]},
        answers=served(CHAT_COMPLETION, CHAT_EVENT),
    )
)
def chat_completions() -> Response:
    """Accept a chat completion; answer with it when it is there, or at once with its job."""
    principal = authenticate()
    body = read_json_object()
    chat_schema.check(body)
    return serve(principal, Demand(CHAT, body))

"""POST /v1/messages and /v1/messages/count_tokens: Anthropic's Messages API, for every provider."""

import time

from flask import Blueprint, Response, request

from api import replies
from api.context import REQUEST_ID
from api.json_body import read_json_object
from api.openapi.answers import found, refused, served, with_headers
from api.openapi.anthropic_shapes import ANTHROPIC_ERROR, MESSAGE, MESSAGE_EVENT, TOKEN_COUNT
from api.openapi.headers import IDEMPOTENCY_KEY, LAST_SEEN, PREFER
from api.openapi.operation import Operation, documented
from api.ordering import route
from api.principal import authenticate
from api.serving import serve
from routing.request import RoutingRequest
from workers.requests import anthropic_schema
from workers.requests.demand import Demand
from workers.surfaces.messages_request import chat_request
from workers.surfaces.registry import MESSAGES

blueprint = Blueprint("anthropic_messages", __name__)
_ASKED = {"model": "fast", "messages": [{"role": "user", "content": "Hello!"}]}
_ID = "Request-Id"


@blueprint.post("/v1/messages")
@documented(
    Operation(
        tag="Messages",
        summary="Ask for a Message",
        parameters=(IDEMPOTENCY_KEY, PREFER, LAST_SEEN),
        body=anthropic_schema.MessagesSchema,
        example={"max_tokens": 200, **_ASKED},
        answers=with_headers(served(MESSAGE, MESSAGE_EVENT, errors=ANTHROPIC_ERROR), _ID),
    )
)
def create_message() -> Response:
    """Accept a request for a Message; answer with it when it is there, or at once with its job."""
    principal = authenticate()
    body = read_json_object()
    anthropic_schema.check(body)
    return serve(principal, Demand(MESSAGES, chat_request(body)))


@blueprint.post("/v1/messages/count_tokens")
@documented(
    Operation(
        tag="Messages",
        summary="Estimate a request's tokens",
        body=anthropic_schema.CountTokensSchema,
        example=_ASKED,
        answers=with_headers(
            (found(TOKEN_COUNT, "The estimate."), *refused(400, 401, 404, 413, 415, errors=ANTHROPIC_ERROR)), _ID
        ),
    )
)
def count_tokens() -> Response:
    """How many tokens the router takes the request to have: an estimate by its characters, for any model it serves."""
    principal = authenticate()
    body = read_json_object()
    anthropic_schema.check_count(body)
    wanted = RoutingRequest.from_body(chat_request(body))
    # A model that nobody here serves is refused as it would be if it were asked.
    route(principal, wanted, time.time())
    return replies.as_json({"input_tokens": wanted.prompt_tokens})


@blueprint.after_request
def _name_request(response: Response) -> Response:
    """Anthropic's name for the header in which its clients look for a request's id."""
    response.headers[_ID] = request.environ.get(REQUEST_ID, "")
    return response

"""POST /v1/chat/completions: the front door."""

from flask import Blueprint, Response

from api import chat_schema
from api.demand import Demand
from api.json_body import read_json_object
from api.principal import authenticate
from api.serving import serve
from workers.surfaces.registry import CHAT

blueprint = Blueprint("completions", __name__)


@blueprint.post("/v1/chat/completions")
def chat_completions() -> Response:
    """Accept a chat completion; answer with it when it is there, or at once with its job."""
    principal = authenticate()
    body = read_json_object()
    chat_schema.check(body)
    return serve(principal, Demand(CHAT, body))

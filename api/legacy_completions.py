"""POST /v1/completions: OpenAI's legacy text completions."""

from flask import Blueprint, Response

from api import legacy_schema
from api.demand import Demand
from api.json_body import read_json_object
from api.principal import authenticate
from api.serving import serve
from workers.surfaces.completions import chat_request, echo_of
from workers.surfaces.registry import COMPLETIONS

blueprint = Blueprint("legacy_completions", __name__)


@blueprint.post("/v1/completions")
def text_completions() -> Response:
    """Accept a text completion; answer with it when it is there, or at once with its job."""
    principal = authenticate()
    body = read_json_object()
    legacy_schema.check(body)
    return serve(principal, Demand(COMPLETIONS, chat_request(body), echo_of(body)))

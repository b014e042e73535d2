"""POST /v1/embeddings."""

from flask import Blueprint, Response

from api.json_body import read_json_object
from api.openapi.answers import served
from api.openapi.completion_shapes import EMBEDDINGS as ANSWER
from api.openapi.headers import IDEMPOTENCY_KEY, PREFER
from api.openapi.operation import Operation, documented
from api.principal import authenticate
from api.serving import serve
from workers.requests import embeddings_schema
from workers.requests.demand import Demand
from workers.surfaces.registry import EMBEDDINGS

blueprint = Blueprint("embeddings", __name__)


@blueprint.post("/v1/embeddings")
@documented(
    Operation(
        tag="Embeddings",
        summary="Ask for vectors of texts",
        parameters=(IDEMPOTENCY_KEY, PREFER),
        body=embeddings_schema.EmbeddingsSchema,
        example={"model": "gemini-embedding-001", "input": ["one text", "another"]},
        answers=served(ANSWER),
    )
)
def embeddings() -> Response:
    """Accept an embeddings request; answer with the vectors when they are there, or at once with its job."""
    principal = authenticate()
    body = read_json_object()
    embeddings_schema.check(body)
    return serve(principal, Demand(EMBEDDINGS, body))

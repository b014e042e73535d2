"""/v1/batches: OpenAI's Batch API, for every provider."""

import json
import re
import secrets
from collections.abc import Iterator

from flask import Blueprint, Response, request

from api import replies
from api.context import services
from api.json_body import read_json_object
from api.openapi.answers import found, refused
from api.openapi.batch_shapes import BATCH, BATCHES
from api.openapi.headers import IDEMPOTENCY_KEY
from api.openapi.operation import Answer, Operation, Parameter, documented
from api.openapi.shape import text, word
from api.ordering import fingerprint_of, idempotency_of
from api.page import LIMIT, as_list, limit_asked
from api.principal import Principal, authenticate
from api.services import Services
from routing.errors import BatchNotCancellable, IdempotencyConflict, InvalidRequest, NotFound, TooManyBatches
from workers.batches.output import ANSWERS, ERRORS, read_parts
from workers.ledger.batch_record import Batch, BatchOrder
from workers.requests import batch_schema

blueprint = Blueprint("batches", __name__, url_prefix="/v1/batches")
_BATCH_ID = re.compile(r"batch_[0-9a-f]{32}")
_BATCH = Parameter("batch_id", "path", "The batch's id.", {"type": "string", "pattern": "^batch_[0-9a-f]{32}$"})
_AFTER = Parameter("after", "query", "The id of the batch to begin after.", text())
_KINDS = {"output": ANSWERS, "errors": ERRORS}
_KIND = Parameter("kind", "query", "Answers, `output`, if left out; or the lines without one.", word(_KINDS))
LINES = "application/jsonl"


@blueprint.post("")
@documented(
    Operation(
        tag="Batches",
        summary="Create a batch",
        parameters=(IDEMPOTENCY_KEY,),
        body=batch_schema.BatchSchema,
        example={
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "requests": [
                {"custom_id": "1", "body": {"model": "fast", "messages": [{"role": "user", "content": "Hello!"}]}}
            ],
        },
        answers=(found(BATCH, "The batch, which is validated next."), *refused(400, 401, 404, 409, 413, 415, 429, 503)),
    )
)
def create() -> Response:
    """Accept a batch. Its lines are validated in the background: a bad one is told in `errors`."""
    principal = authenticate()
    body = read_json_object()
    batch_schema.check(body)
    key = request.headers.get("Idempotency-Key")
    batch_id = f"batch_{secrets.token_hex(16)}"
    order = BatchOrder(
        id=batch_id,
        tenant=principal.tenant_id,
        key=principal.key.id,
        endpoint=body["endpoint"],
        input_file=_input_file(body, batch_id, principal),
        window=body["completion_window"],
        window_s=batch_schema.window_s(body["completion_window"]),
        metadata=body.get("metadata"),
        webhook=body.get("webhook_url") or "",
        files_kept_s=(body.get("output_expires_after") or {}).get("seconds"),
        idempotency="" if key is None else idempotency_of(key),
        fingerprint="" if key is None else fingerprint_of(body),
    )
    verdict, what = services().ledger.batches.create(order, services().settings.batches_per_tenant)
    if verdict == "full":
        raise TooManyBatches(
            f"{what} batches have not ended yet, which is the most there may be; wait for one to end, or cancel one",
            retry_after_s=60,
        )
    if verdict == "conflict":
        raise IdempotencyConflict(
            f"this Idempotency-Key was used for another body (batch {what}); use a new key for a new request"
        )
    response = replies.as_json(_read(what, principal).as_object())
    if verdict == "existing":
        response.headers["Idempotent-Replayed"] = "true"
    return response


@blueprint.get("")
@documented(
    Operation(
        tag="Batches",
        summary="List batches",
        parameters=(LIMIT, _AFTER),
        answers=(found(BATCHES, "A page of them, the newest first."), *refused(400, 401, 503)),
    )
)
def list_batches() -> Response:
    """The tenant's batches, the newest first."""
    principal = authenticate()
    limit = limit_asked()
    page = services().ledger.batches.listed(principal.tenant_id, request.args.get("after"), limit)
    if page is None:
        raise InvalidRequest("after: there is no such batch", param="after")
    batches, more = page
    data = [batch.as_object() for batch in batches]
    return replies.as_json(as_list(data, data[-1]["id"] if data else None, more=more))


@blueprint.get("/<batch_id>")
@documented(
    Operation(
        tag="Batches",
        summary="Look at a batch",
        parameters=(_BATCH,),
        answers=(found(BATCH, "The batch."), *refused(401, 404, 503)),
    )
)
def show(batch_id: str) -> Response:
    """The batch as it stands; `request_counts` and `usage` grow while it runs."""
    principal = authenticate()
    return replies.as_json(_read(batch_id, principal).as_object())


@blueprint.post("/<batch_id>/cancel")
@documented(
    Operation(
        tag="Batches",
        summary="Cancel a batch",
        parameters=(_BATCH,),
        answers=(found(BATCH, "The batch, which is being cancelled."), *refused(401, 404, 409, 503)),
    )
)
def cancel(batch_id: str) -> Response:
    """Run no more of its lines. Those that run come to their end; what is done is kept."""
    principal = authenticate()
    batch = _read(batch_id, principal)
    cancelled = services().ledger.batches.cancel(batch.id, principal.tenant_id)
    if cancelled is None:
        raise NotFound(f"there is no batch {batch_id!r}")
    status, by_this_call = cancelled
    if not by_this_call and status not in ("cancelling", "cancelled"):
        raise BatchNotCancellable(f"batch {batch_id} cannot be cancelled any more: it is {status.value}")
    return replies.as_json(_read(batch_id, principal).as_object())


@blueprint.get("/<batch_id>/results")
@documented(
    Operation(
        tag="Batches",
        summary="Get the results so far",
        parameters=(_BATCH, _KIND),
        answers=(
            Answer(200, "Lines as those of the output file, or of the error file.", {LINES: text()}),
            *refused(400, 401, 404, 503),
        ),
    )
)
def results(batch_id: str) -> Response:
    """What the batch has come to so far, in the form of its files, while it runs as well as after."""
    principal = authenticate()
    kind = request.args.get("kind", "output")
    if kind not in _KINDS:
        raise InvalidRequest('kind: must be "output" or "errors"', param="kind")
    batch = _read(batch_id, principal)
    return Response(_lines(services(), batch, kind), mimetype=LINES)


def _lines(parts: Services, batch: Batch, kind: str) -> Iterator[bytes]:
    if not batch.status.ended:
        yield from read_parts(parts.storage, batch.id, parts.ledger.batches.parts(batch.id), _KINDS[kind])
        return
    file = batch.output_file if kind == "output" else batch.error_file
    if file is None:
        return
    with parts.storage.reading(f"files/{file}") as stored:
        while block := stored.read(1024 * 1024):
            yield block


def _input_file(body: dict[str, object], batch_id: str, principal: Principal) -> str:
    """The file of the batch's lines: the caller's, or one made of the requests in its body."""
    parts = services()
    given = body.get("input_file_id")
    if isinstance(given, str):
        file = parts.ledger.files.read(given, principal.tenant_id)
        if file is None:
            raise NotFound(f"there is no file {given[:80]!r}", param="input_file_id")
        if file.purpose != "batch":
            raise InvalidRequest(f"the file's purpose is {file.purpose!r}; upload it as `batch`", param="input_file_id")
        return given
    file_id = f"file-{secrets.token_hex(16)}"
    name = f"files/{file_id}"
    parts.ledger.files.reserve(file_id, principal.tenant_id, name)
    with parts.storage.writing(name) as written:
        for line in body["requests"]:  # type: ignore[attr-defined]  # the schema has checked that it is a list
            written.write(json.dumps(line).encode() + b"\n")
    parts.ledger.files.adopt(
        principal.tenant_id, file_id, name, written.tell(), filename=f"{batch_id}_input.jsonl", purpose="batch"
    )
    return file_id


def _read(batch_id: str, principal: Principal) -> Batch:
    batch = None
    if _BATCH_ID.fullmatch(batch_id):
        batch = services().ledger.batches.read(batch_id, principal.tenant_id)
    if batch is None:
        raise NotFound(f"there is no batch {batch_id[:80]!r}")
    return batch

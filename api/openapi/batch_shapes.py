"""A batch, and a list of them, in OpenAI's form."""

from api.openapi.shape import Shape, flag, listing, mapping, maybe, record, text, whole, word
from workers.ledger.batch_record import BatchStatus
from workers.requests.demands import ENDPOINTS

_PROBLEM = record(
    "What is wrong with a line.",
    {
        "code": text(),
        "message": text(),
        "param": maybe(text("The field at fault.")),
        "line": maybe(whole("Counted from 1; null: the file as a whole.")),
    },
)
_TOKENS = record(
    "The tokens of all answers so far.",
    {
        "input_tokens": whole(),
        "input_tokens_details": record("Of these", {"cached_tokens": whole()}),
        "output_tokens": whole(),
        "output_tokens_details": record("Of these", {"reasoning_tokens": whole()}),
        "total_tokens": whole(),
    },
)

BATCH = Shape(
    "Batch",
    record(
        "Many requests, run together. Times are Unix seconds.",
        {
            "id": text(),
            "object": word(["batch"]),
            "endpoint": word(ENDPOINTS),
            "errors": maybe(record("Why it was not run.", {"object": word(["list"]), "data": listing(_PROBLEM)})),
            "input_file_id": text(),
            "completion_window": text(),
            "status": word(BatchStatus),
            "output_file_id": maybe(text("The file of answers, once it has ended.")),
            "error_file_id": maybe(text("The file of lines without an answer.")),
            "created_at": whole(),
            "expires_at": whole(),
            **{
                f"{state}_at": maybe(whole())
                for state in ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
            },
            "request_counts": record(
                "How far it is.", {"total": whole(), "completed": whole(), "failed": whole("Or not run.")}
            ),
            "usage": _TOKENS,
            "metadata": maybe(mapping("As it was given.", text())),
        },
    ),
)
BATCHES = Shape(
    "Batches",
    record(
        "A page of batches, the newest first.",
        {
            "object": word(["list"]),
            "data": listing(BATCH),
            "first_id": maybe(text()),
            "last_id": maybe(text()),
            "has_more": flag(),
        },
    ),
)

"""A job as polls and webhooks show it."""

from api.openapi.anthropic_shapes import MESSAGE
from api.openapi.completion_shapes import CHAT_COMPLETION, EMBEDDINGS, TEXT_COMPLETION
from api.openapi.responses_shapes import RESPONSE
from api.openapi.routing_shapes import ATTEMPT, ERROR, PLAN
from api.openapi.shape import Shape, either, listing, maybe, number, record, text, word
from routing.job import JobStatus

JOB = Shape(
    "Job",
    record(
        "An accepted unit of work. Times are Unix seconds.",
        {
            "id": text(),
            "object": word(["job"]),
            "status": word(JobStatus),
            "model": text("As it was asked for."),
            "created_at": number(),
            "started_at": maybe(number("When a worker took it first.")),
            "ended_at": maybe(number()),
            "deadline_at": number(),
            "provider": maybe(text("Who answered, or on whose queue it is.")),
            "attempts": listing(ATTEMPT),
            "plan": PLAN,
            "response": either(CHAT_COMPLETION, TEXT_COMPLETION, MESSAGE, RESPONSE, EMBEDDINGS, {"type": "null"}),
            "error": either(ERROR, {"type": "null"}),
        },
    ),
)

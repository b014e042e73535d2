"""A job as polls, webhooks and lists show it."""

from api.openapi.anthropic_shapes import MESSAGE
from api.openapi.completion_shapes import CHAT_COMPLETION, EMBEDDINGS, TEXT_COMPLETION
from api.openapi.responses_shapes import RESPONSE
from api.openapi.routing_shapes import ATTEMPT, ERROR, PLAN
from api.openapi.shape import Shape, either, listing, maybe, number, record, text, word
from routing.job import JobStatus

# What a job is answered with, by the surface on which it was asked for.
ANSWERS = (CHAT_COMPLETION, TEXT_COMPLETION, MESSAGE, RESPONSE, EMBEDDINGS)
_SHORT = {
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
    "replay_of": maybe(text("The job whose request this one runs again.")),
    "replayed_as": maybe(text("The last job that ran this one's request again.")),
}
_ERROR = {"error": either(ERROR, {"type": "null"})}

JOB_ENTRY = Shape(
    "JobEntry", record("A job as lists show it: without its plan and its response.", {**_SHORT, **_ERROR})
)
JOB = Shape(
    "Job",
    record(
        "An accepted unit of work. Times are Unix seconds.",
        {**_SHORT, "plan": PLAN, "response": either(*ANSWERS, {"type": "null"}), **_ERROR},
    ),
)

"""What a provider is asked for a job, and who reads its answer: a chat, vectors, or a response of its own. No I/O."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from routing.errors import NotExpressible
from routing.request import RESPONSES, RoutingRequest
from workers.continuation import Beginning
from workers.ledger.claimed import Claimed
from workers.providers.base import AnswerStream, Call, Completion, Reply
from workers.reading import mapping, text
from workers.surfaces.base import Endpoint
from workers.surfaces.registry import surface_of
from workers.surfaces.responses_native import native_request, outline
from workers.upstreams import Upstream


@dataclass(frozen=True, slots=True)
class Question:
    """One call, and the readers of its answer in one piece or as a stream (given the answer's headers)."""

    call: Call
    read: Callable[[Reply], Completion]
    listen: Callable[[Mapping[str, str]], AnswerStream]


def question_of(job: Claimed, upstream: Upstream, model: str, begun: Beginning | None = None) -> Question:
    """What `model` is asked for `job`; an answer that has `begun` goes on as a chat.

    Raises NotExpressible where the provider has no words for it.
    """
    adapter = upstream.adapter
    match _endpoint(job, upstream, model, begun):
        case Endpoint.EMBEDDINGS:
            call = adapter.embed(model, job.request)
            return Question(
                call,
                lambda reply: adapter.embeddings(model, job.request, reply),
                lambda told: adapter.stream(model, told),
            )
        case Endpoint.RESPONSES:
            # There is one, or another endpoint was chosen.
            call = adapter.respond(model, native_request(job.request, json.loads(job.echo)) or {})
            return Question(
                call, lambda reply: adapter.response(model, reply), lambda told: adapter.response_stream(model, told)
            )
        case _:
            call = adapter.call(model, job.request if begun is None else begun.asked(job.request))
            return Question(
                call, lambda reply: adapter.completion(model, reply), lambda told: adapter.stream(model, told)
            )


def prompt_tokens(job: Claimed) -> int:
    """The estimate of a job's prompt, in tokens."""
    request = job.request
    if job.surface == RESPONSES and "messages" not in request and job.echo:
        echo = json.loads(job.echo)
        native = mapping(echo.get("native"))
        request = outline(request, native, native.get("input") or echo.get("input") or ())
    return RoutingRequest.from_body(request).prompt_tokens


def _endpoint(job: Claimed, upstream: Upstream, model: str, begun: Beginning | None) -> Endpoint:
    surface = surface_of(job.surface)
    if surface.name != RESPONSES or not job.echo:
        return surface.endpoint
    native = mapping(json.loads(job.echo).get("native"))
    if not native:
        return surface.endpoint
    capabilities = upstream.config.capabilities_of(model)
    if begun is None and RESPONSES in capabilities:
        return Endpoint.RESPONSES
    if needed_by := text(native.get("needed_by")):
        raise NotExpressible(f"{needed_by} needs a Responses endpoint, and it has none", param=needed_by)
    if "chat" not in capabilities and RESPONSES in capabilities:
        raise NotExpressible(f"{model} has a Responses endpoint alone", param="model")
    return Endpoint.CHAT

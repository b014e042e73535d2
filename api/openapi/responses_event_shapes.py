"""The events of a response's stream, each by its type.

Source: OpenAI's API reference for streaming responses.
"""

from typing import Any

from api.openapi.responses_shapes import ANNOTATION, ITEM, LOGPROB, PART, RESPONSE, SUMMARY_PART, other
from api.openapi.shape import Shape, either, listing, maybe, record, text, whole, word


def _event(kinds: list[str], about: str, **told: Any) -> dict[str, Any]:
    return record(about, {"type": word(kinds), "sequence_number": whole("From 0."), **told})


def _of_item(kind: str, about: str, **told: Any) -> dict[str, Any]:
    return _event([f"response.{kind}"], about, item_id=text(), output_index=whole(), **told)


def _of_part(kind: str, about: str, **told: Any) -> dict[str, Any]:
    return _of_item(kind, about, content_index=whole(), **told)


def _of_summary(kind: str, about: str, **told: Any) -> dict[str, Any]:
    return _of_item(f"reasoning_summary_{kind}", about, summary_index=whole(), **told)


_LIFE = [f"response.{step}" for step in ("created", "in_progress", "completed", "incomplete", "failed")]
_ITEM_STEPS = [f"response.output_item.{step}" for step in ("added", "done")]
_LOGPROBS = listing(LOGPROB)

_EVENTS = (
    _event(_LIFE, "The response begins or ends.", response=RESPONSE),
    _event(["error"], "Why it failed.", code=maybe(text()), message=text(), param=maybe(text())),
    _event(_ITEM_STEPS, "An item begins, or is as it stays.", output_index=whole(), item=ITEM),
    _of_part("content_part.added", "A part begins.", part=PART),
    _of_part("content_part.done", "It is whole.", part=PART),
    _of_part("output_text.delta", "More text.", delta=text(), logprobs=_LOGPROBS),
    _of_part("output_text.done", "The text.", text=text(), logprobs=_LOGPROBS),
    _of_part("output_text.annotation.added", "A source.", annotation_index=whole(), annotation=ANNOTATION),
    _of_part("refusal.delta", "More of a refusal.", delta=text()),
    _of_part("refusal.done", "The refusal.", refusal=text()),
    _of_summary("part.added", "Thinking begins.", part=SUMMARY_PART),
    _of_summary("part.done", "It is whole.", part=SUMMARY_PART),
    _of_summary("text.delta", "More of it.", delta=text()),
    _of_summary("text.done", "All of it.", text=text()),
    _of_item("function_call_arguments.delta", "More of a call's arguments.", delta=text()),
    _of_item("function_call_arguments.done", "All of them.", arguments=text("JSON."), name=text()),
)
_KNOWN = [kind for event in _EVENTS for kind in event["properties"]["type"]["enum"]]

RESPONSE_EVENT = Shape(
    "ResponseEvent",
    either(
        *_EVENTS,
        other("An event of a provider's own Responses endpoint.", *_KNOWN, sequence_number=whole("From 0.")),
    ),
)

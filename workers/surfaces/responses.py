"""OpenAI's Responses API: the form of its answers, streams and jobs, whoever was asked in which form. Pure."""

from collections.abc import Mapping
from typing import Any, ClassVar

from routing.job import Usage
from workers.reading import count, mapping
from workers.surfaces.base import Head, Surface
from workers.surfaces.responses_object import response_object
from workers.surfaces.responses_output import INCOMPLETE, output_of, usage_of
from workers.surfaces.responses_passage import native_answer
from workers.surfaces.responses_writer import ResponsesWriter


class Responses(Surface):
    """`POST /v1/responses`."""

    name: ClassVar[str] = "responses"

    def answer(self, body: dict[str, Any], head: Head) -> dict[str, Any]:
        """The completion, or a provider's own response, as a `response` object."""
        if body.get("object") == "response":
            return native_answer(body, head)
        choice = body["choices"][0]
        cut = INCOMPLETE.get(choice["finish_reason"])
        shown = response_object(head, "completed" if cut is None else "incomplete")
        shown["output"] = output_of(choice, head)
        shown["usage"] = usage_of(body.get("usage"))
        if cut is not None:
            shown["incomplete_details"] = {"reason": cut}
        tier = body.get("service_tier") or shown["service_tier"]
        shown["service_tier"] = "default" if tier == "auto" else tier
        return shown

    def usage(self, answer: Mapping[str, Any]) -> Usage:
        """The tokens, as the Responses API names them."""
        told = mapping(answer.get("usage"))
        return Usage(
            prompt_tokens=count(told.get("input_tokens")),
            completion_tokens=count(told.get("output_tokens")),
            cached_tokens=count(mapping(told.get("input_tokens_details")).get("cached_tokens")),
            reasoning_tokens=count(mapping(told.get("output_tokens_details")).get("reasoning_tokens")),
        )

    def writer(self, head: Head) -> ResponsesWriter:
        """`response.*` events."""
        return ResponsesWriter(head)

"""The `response` object of OpenAI's Responses API: what it repeats of the request, and how it stands. Pure."""

from collections.abc import Mapping
from typing import Any

from workers.surfaces.base import Head

# What the object repeats of the request, and what stands there when the request said nothing.
REPEATED: Mapping[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "auto",
    "store": True,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": None,
    "user": None,
}
# OpenAI's words for why a response failed; its SDKs know no others here.
_RATE_LIMITED, _INVALID, _FAILED = "rate_limit_exceeded", "invalid_prompt", "server_error"


def response_object(head: Head, status: str) -> dict[str, Any]:
    """A response that has no output yet. `status` is one of OpenAI's words."""
    repeated = {name: head.echo.get(name, default) for name, default in REPEATED.items()}
    return {
        "id": head.identifier("resp_"),
        "object": "response",
        "created_at": head.created,
        "status": status,
        "model": head.model,
        "output": [],
        "error": None,
        "incomplete_details": None,
        # Nothing is ever left out of a conversation here; "auto" only allows it.
        "truncation": "disabled",
        "usage": None,
        **repeated,
    }


def failed_object(head: Head, error: Mapping[str, Any], status: int) -> dict[str, Any]:
    """A response that ended without an answer: `error` is a body in OpenAI's form, `status` its HTTP status."""
    told = error["error"]
    if told.get("code") == "job_cancelled":
        shown = response_object(head, "cancelled")
    else:
        code = _RATE_LIMITED if status == 429 else _INVALID if status == 400 else _FAILED
        shown = response_object(head, "failed")
        shown["error"] = {"code": code, "message": told["message"], "param": told.get("param"), "type": told["type"]}
    if "routing_metadata" in error:
        shown["routing_metadata"] = error["routing_metadata"]
    return shown

"""What newer API versions and newer models of Anthropic no longer take.

Sources: platform.claude.com/docs/en/api/versioning, and the models' own refusals (sampling since Claude 4.7, prefill
since 4.6).
"""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.dialects.anthropic_refusals import AnthropicRefusals

VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")
_STRICT_VERSION = "2026-10-21"
_SAMPLING = ("temperature", "top_k", "top_p")
_MODEL = re.compile(r"claude-[a-z]+-(\d+)(?:-(\d{1,2})(?!\d))?")


def check(payload: Mapping[str, Any], version: str, refusals: AnthropicRefusals) -> None:
    """Raise a refusal for what this version or the request's model does not take; `payload` is well formed."""
    model = generation(payload["model"])
    for name in _SAMPLING:
        if payload.get(name) is None:
            continue
        if version == _STRICT_VERSION:
            raise refusals.invalid(name, "Extra inputs are not permitted")
        if model >= (4, 7):
            raise refusals.refusal(400, f"`{name}` is deprecated for this model.")
    messages = payload["messages"]
    if messages[-1]["role"] == "assistant" and model >= (4, 6):
        told = "This model does not support assistant message prefill. The conversation must end with a user message."
        raise refusals.refusal(400, told)
    if version == _STRICT_VERSION:
        _check_blocks(messages, refusals)


def generation(model: str) -> tuple[int, int]:
    """A Claude model's generation: claude-opus-4-7 is (4, 7); (0, 0) for older and other names."""
    found = _MODEL.match(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _check_blocks(messages: list[dict[str, Any]], refusals: AnthropicRefusals) -> None:
    for number, message in enumerate(messages):
        if isinstance(message["content"], str):
            continue
        for index, block in enumerate(message["content"]):
            path = f"messages.{number}.content.{index}"
            if message["role"] == "assistant" and block["type"] == "document":
                raise refusals.invalid(path, "`document` blocks are not permitted in `assistant` messages")
            if message["role"] == "user" and block["type"] == "text" and block.get("citations"):
                raise refusals.invalid(path, "`citations` are not permitted on text in `user` messages")

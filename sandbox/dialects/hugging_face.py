"""What Hugging Face's router does differently from OpenAI: its errors, and the schema that its client may send bare."""

import json
from typing import Any

from sandbox.dialects.base import JSON_TYPE, Refusal, Reply
from sandbox.dialects.openai import OpenAI
from sandbox.dialects.openai_refusals import OpenAIRefusals


class HuggingFaceRefusals(OpenAIRefusals):
    """The hub's own refusals are {"error": text}; the router's copy OpenAI's."""

    def missing_key(self) -> Refusal:
        """The hub tells a missing token like a wrong one."""
        return self.bad_key("")

    def bad_key(self, key: str) -> Refusal:
        """The token is not one."""
        del key
        return Refusal(Reply(401, (JSON_TYPE,), json.dumps({"error": "Invalid username or password."}).encode()))

    def unknown_path(self, method: str, path: str) -> Refusal:
        """There is no such path."""
        return Refusal(Reply(404, (JSON_TYPE,), json.dumps({"error": f"Cannot {method} {path}"}).encode()))

    def unknown_model(self, model: str) -> Refusal:
        """The router answers 400 for a model it does not have."""
        message = f"The requested model '{model}' does not exist"
        return self.refusal(400, message, param="model", code="model_not_found")


class HuggingFace(OpenAI):
    """Chat completions of the Hugging Face router."""

    refusals = HuggingFaceRefusals()
    reasoning_field = "reasoning"
    known_models = ("openai/gpt-oss-20b", "openai/gpt-oss-120b", "Qwen/Qwen3-32B")

    def schema(self, payload: dict[str, Any]) -> dict[str, Any] | None:
        """Also {"type": "json_object", "value": schema}, which huggingface_hub sends to single-model endpoints."""
        wanted = payload.get("response_format")
        if isinstance(wanted, dict) and isinstance(wanted.get("value"), dict):
            value: dict[str, Any] = wanted["value"]
            return value
        return super().schema(payload)

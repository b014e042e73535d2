"""Reading what Gemini answers: GenerateContentResponse and google.rpc errors, into OpenAI's form."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from routing.errors import MalformedAnswer
from routing.job import Usage
from workers.providers.base import Account, Completion, Reply
from workers.providers.completion import choice_of, completion_of, counted, message_of
from workers.providers.reader import count, json_text, mapping, objects, printable, text
from workers.providers.retry_after import duration_s
from workers.providers.status import Failure

FINISH_REASONS: Mapping[str, str] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "ESCALATION": "content_filter",
    "PUP_LIMITED_DISABLED": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "CONTINUATION": "length",
}
# The model broke its own form; another try may not.
BROKEN = frozenset({"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL"})


def completion_from(account: Account, model: str, reply: Reply) -> Completion:
    """The completion in a 2xx answer. A blocked prompt is a completion, too: `content_filter` and a refusal."""
    body = reply.json_object()
    candidates = objects(body.get("candidates"))
    blocked = text(mapping(body.get("promptFeedback")).get("blockReason"))
    if candidates:
        choices = [_choice(account, index, candidate) for index, candidate in enumerate(candidates)]
    elif blocked:
        choices = [choice_of(0, message_of("", refusal=blocked_prompt(blocked)), "content_filter")]
    else:
        raise MalformedAnswer(f"{account.name} answered without candidates", upstream_status=reply.status)
    return completion_of(
        choices,
        usage_of(mapping(body.get("usageMetadata"))),
        model=text(body.get("modelVersion")) or model,
        answer_id=text(body.get("responseId")),
    )


def failure_of(reply: Reply) -> Failure:
    """What an error answer says, in google.rpc's form (google.aip.dev/193): reasons before the status."""
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        return Failure()
    if isinstance(body, list) and body:
        body = body[0]
    return failure_in(mapping(mapping(body).get("error")))


def failure_in(error: dict[str, Any]) -> Failure:
    """What an error object says, of an answer or of a stream."""
    details = objects(error.get("details"))
    reasons = [reason for detail in details if (reason := printable(detail.get("reason"), 100))]
    status = printable(error.get("status"), 100)
    delays = [delay for detail in details if (delay := duration_s(text(detail.get("retryDelay")))) is not None]
    return Failure(
        message=printable(error.get("message")),
        codes=(*reasons, *([status] if status else [])),
        retry_after_s=max(delays, default=None),
    )


def _choice(account: Account, position: int, candidate: dict[str, Any]) -> dict[str, Any]:
    reason = text(candidate.get("finishReason"))
    parts = objects(mapping(candidate.get("content")).get("parts"))
    if reason in BROKEN and not parts:
        raise gave_up(account, reason)
    words = "".join(text(part.get("text")) for part in parts if not part.get("thought"))
    thoughts = "".join(text(part.get("text")) for part in parts if part.get("thought"))
    calls = [tool_call(part) for part in parts if isinstance(part.get("functionCall"), dict)]
    finish = FINISH_REASONS.get(reason, "stop")
    refusal = blocked_answer(reason) if finish == "content_filter" and not words and not calls else None
    message = message_of(words, reasoning=thoughts, tool_calls=calls, refusal=refusal)
    images = [image(part["inlineData"]) for part in parts if isinstance(part.get("inlineData"), dict)]
    if images:
        # OpenRouter's field for pictures in an answer.
        message["images"] = images
    signatures = [text(part.get("thoughtSignature")) for part in parts if "functionCall" not in part]
    if any(signatures):
        message["extra_content"] = signed([mark for mark in signatures if mark][-1])
    if calls and finish == "stop":
        finish = "tool_calls"
    index = count(candidate.get("index")) or position
    return choice_of(index, message, finish, logprobs_of(mapping(candidate.get("logprobsResult"))))


def tool_call(part: dict[str, Any]) -> dict[str, Any]:
    """The call in a part that has a `functionCall`; MalformedAnswer where it has no name."""
    function = part["functionCall"]
    name = text(function.get("name"))
    if not name:
        raise MalformedAnswer("the answer has a function call without a name")
    call: dict[str, Any] = {
        "id": text(function.get("id")) or f"call_{uuid.uuid4().hex[:24]}",
        "type": "function",
        "function": {"name": name, "arguments": json_text(mapping(function.get("args")))},
    }
    signature = text(part.get("thoughtSignature"))
    if signature:
        call["extra_content"] = signed(signature)
    return call


def signed(signature: str) -> dict[str, Any]:
    """The `extra_content` with a thought signature: the place Google's own OpenAI endpoint gives it."""
    return {"google": {"thought_signature": signature}}


def blocked_prompt(reason: str) -> str:
    """The refusal of a prompt that Gemini blocked."""
    return f"the prompt was blocked: {reason}"


def blocked_answer(reason: str) -> str:
    """The refusal of an answer that Gemini blocked before its first word."""
    return f"the answer was blocked: {reason}"


def gave_up(account: Account, reason: str) -> MalformedAnswer:
    """The model broke its own form and said nothing."""
    return MalformedAnswer(f"{account.name} gave up with {reason}", upstream_status=200)


def image(data: dict[str, Any]) -> dict[str, Any]:
    """A picture of an answer as a part with a data URL."""
    url = f"data:{text(data.get('mimeType'))};base64,{text(data.get('data'))}"
    return {"type": "image_url", "image_url": {"url": url}}


def logprobs_of(result: dict[str, Any]) -> dict[str, Any] | None:
    """A `logprobsResult` as OpenAI writes it; None where it is empty."""
    chosen = objects(result.get("chosenCandidates"))
    if not chosen:
        return None
    steps = objects(result.get("topCandidates"))
    content = []
    for index, candidate in enumerate(chosen):
        tops = objects(steps[index].get("candidates")) if index < len(steps) else []
        content.append({**_logprob(candidate), "top_logprobs": [_logprob(top) for top in tops]})
    return {"content": content, "refusal": None}


def _logprob(candidate: dict[str, Any]) -> dict[str, Any]:
    token = text(candidate.get("token"))
    value = candidate.get("logProbability")
    number = float(value) if isinstance(value, int | float) and abs(value) < 1e300 else 0.0
    return {"token": token, "logprob": number, "bytes": list(token.encode("utf-8", "replace"))}


def usage_of(usage: dict[str, Any]) -> Usage:
    """Gemini counts thoughts beside the candidates, and tool results beside the prompt; OpenAI within."""
    thoughts = count(usage.get("thoughtsTokenCount"))
    return counted(
        prompt=count(usage.get("promptTokenCount")) + count(usage.get("toolUsePromptTokenCount")),
        completion=count(usage.get("candidatesTokenCount")) + thoughts,
        cached=count(usage.get("cachedContentTokenCount")),
        reasoning=thoughts,
    )

"""Reading and checking `contents` and `systemInstruction` of the Gemini API."""

import json
from typing import Any

from sandbox.dialects import gemini_refusals as refusals
from sandbox.dialects.gemini_fields import CONTENT, PART, Finding, messages, read, scalar
from sandbox.prompt import Transcript, TranscriptBuilder

_STRUCT = "(type.googleapis.com/google.protobuf.Struct)"


def read_contents(request: dict[str, Any], findings: list[Finding]) -> Transcript:
    """What was said. Type errors go to `findings`; raises a refusal for turns that cannot follow each other."""
    transcript = TranscriptBuilder()
    if request.get("system_instruction") is not None:
        turn = _content(request["system_instruction"], "system_instruction", findings)
        transcript.other("".join(part.get("text") or "" for part in turn["parts"]))
    turns = [_content(item, path, findings) for item, path in messages(request.get("contents"), "contents", findings)]
    if findings:
        raise refusals.violations(findings)
    if not turns:
        raise refusals.invalid("contents", "contents is not specified")
    calls = 0
    for number, turn in enumerate(turns):
        if turn["role"] not in (None, "user", "model", "function"):
            raise refusals.refusal(400, "Please use a valid role: user, model.")
        if not turn["parts"]:
            raise refusals.invalid(f"contents[{number}].parts", "contents.parts must not be empty.")
        responses = sum("function_response" in part for part in turn["parts"])
        if (calls or responses) and calls != responses:
            message = (
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
            raise refusals.refusal(400, message)
        calls = sum("function_call" in part for part in turn["parts"])
        _enter(turn, transcript)
    return transcript.done()


def read_text(value: Any, path: str, findings: list[Finding]) -> str:
    """The text of one content."""
    return "".join(part.get("text") or "" for part in _content(value, path, findings)["parts"])


def _content(value: Any, path: str, findings: list[Finding]) -> dict[str, Any]:
    fields = read(value, CONTENT, path, findings)
    parts = [_part(part, at, findings) for part, at in messages(fields.get("parts"), f"{path}.parts", findings)]
    return {"role": scalar(fields, "role", str, path, findings), "parts": parts}


def _part(value: Any, path: str, findings: list[Finding]) -> dict[str, Any]:
    part = read(value, PART, path, findings)
    if "text" in part:
        part["text"] = scalar(part, "text", str, path, findings)
    for kind, known in (
        ("inline_data", {"mime_type", "data", "display_name"}),
        ("file_data", {"mime_type", "file_uri", "display_name"}),
        ("function_call", {"name", "args", "id"}),
        ("function_response", {"name", "response", "id", "parts", "will_continue", "scheduling"}),
    ):
        if part.get(kind) is not None:
            at = f"{path}.{kind}"
            part[kind] = read(part[kind], frozenset(known), at, findings)
            struct = "args" if kind == "function_call" else "response"
            if kind.startswith("function") and not isinstance(part[kind].get(struct, {}), dict):
                findings.append((f"{at}.{struct}", f"Invalid value at '{at}.{struct}' {_STRUCT}"))
    return part


def _enter(turn: dict[str, Any], transcript: TranscriptBuilder) -> None:
    parts = turn["parts"]
    text = "".join(part.get("text") or "" for part in parts if not part.get("thought"))
    for part in parts:
        data = part.get("inline_data") or part.get("file_data")
        if data and str(data.get("mime_type", "image/")).startswith("image/"):
            transcript.image()
    results = [part["function_response"].get("response") for part in parts if part.get("function_response")]
    calls = [part["function_call"] for part in parts if part.get("function_call")]
    if turn["role"] == "model":
        transcript.other(text + "".join(json.dumps(call) for call in calls))
    elif results:
        transcript.tool("".join(json.dumps(result) for result in results))
    else:
        transcript.user(text)

"""Reading and checking `system` and `messages` of Anthropic's Messages API."""

from typing import Any

from sandbox.dialects import fields
from sandbox.dialects.anthropic_refusals import AnthropicRefusals
from sandbox.prompt import TranscriptBuilder

_BLOCKS = ("document", "image", "redacted_thinking", "search_result", "text", "thinking", "tool_result", "tool_use")
_IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def read_system(system: Any, transcript: TranscriptBuilder, refusals: AnthropicRefusals) -> None:
    """The top-level system prompt: a text, or text blocks."""
    if system is None:
        return
    if isinstance(system, str):
        transcript.other(system)
        return
    for number, block in enumerate(fields.array(system, "system")):
        path = f"system.{number}"
        if fields.mapping(block, path).get("type") != "text":
            raise refusals.invalid(f"{path}.type", "Input should be 'text'")
        transcript.other(fields.text(block.get("text"), f"{path}.text"))


def read_messages(messages: list[Any], transcript: TranscriptBuilder, refusals: AnthropicRefusals) -> None:
    """The turns. Raises a refusal, or WrongType, for what Anthropic refuses."""
    if not messages:
        raise refusals.invalid("messages", "at least one message is required")
    called: set[str] = set()
    for number, entry in enumerate(messages):
        path = f"messages.{number}"
        message = fields.mapping(entry, path)
        role = message.get("role")
        if role not in ("user", "assistant"):
            raise _unexpected_role(role, refusals)
        if number == 0 and role != "user":
            raise refusals.invalid("messages", 'first message must use the "user" role')
        last = number == len(messages) - 1
        blocks = _blocks(message, path, refusals, optional=last and role == "assistant")
        _paired(blocks, called, number, refusals)
        called = _turn(blocks, role, path, transcript, refusals)
        if (
            last
            and role == "assistant"
            and blocks
            and str(blocks[-1].get("text", "")).rstrip() != blocks[-1].get("text", "")
        ):
            raise refusals.refusal(400, "messages: final assistant content cannot end with trailing whitespace")
    if called:
        raise _unanswered(called, len(messages) - 1, refusals)


def _unexpected_role(role: Any, refusals: AnthropicRefusals) -> Exception:
    message = f'Unexpected role "{role}".'
    if role == "system":
        message += ' The Messages API accepts a top-level `system` parameter, not "system" as an input message role.'
    else:
        message += ' Allowed roles are "user" or "assistant".'
    return refusals.invalid("messages", message)


def _blocks(message: dict[str, Any], path: str, refusals: AnthropicRefusals, *, optional: bool) -> list[dict[str, Any]]:
    """The content as blocks; a text is one block."""
    if "content" not in message:
        raise refusals.invalid(f"{path}.content", "Field required")
    content = message["content"]
    if not content and isinstance(content, str | list) and not optional:
        needed = "all messages must have non-empty content except for the optional final assistant message"
        raise refusals.invalid(path, needed)
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    blocks = [fields.mapping(b, f"{path}.content.{i}") for i, b in enumerate(fields.array(content, f"{path}.content"))]
    for number, block in enumerate(blocks):
        if block.get("type") not in _BLOCKS:
            tags = ", ".join(f"'{tag}'" for tag in _BLOCKS)
            found = (
                f"Input tag '{block.get('type')}' found using 'type' does not match any of the expected tags: {tags}"
            )
            raise refusals.invalid(f"{path}.content.{number}", found)
    return blocks


def _paired(blocks: list[dict[str, Any]], called: set[str], number: int, refusals: AnthropicRefusals) -> None:
    """Every tool_use of the turn before has its tool_result in this one, and no result is without its use."""
    results: set[str] = set()
    for index, block in enumerate(blocks):
        if block["type"] != "tool_result":
            continue
        identifier = fields.text(block.get("tool_use_id"), f"messages.{number}.content.{index}.tool_use_id")
        if identifier not in called:
            message = (
                f"unexpected `tool_use_id` found in `tool_result` blocks: {identifier}. Each `tool_result` block must "
                "have a corresponding `tool_use` block in the previous message."
            )
            raise refusals.invalid(f"messages.{number}.content.{index}", message)
        results.add(identifier)
    if called - results:
        raise _unanswered(called - results, number - 1, refusals)


def _unanswered(called: set[str], number: int, refusals: AnthropicRefusals) -> Exception:
    message = (
        f"`tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(sorted(called))}. Each "
        "`tool_use` block must have a corresponding `tool_result` block in the next message."
    )
    return refusals.invalid(f"messages.{number}", message)


def _turn(
    blocks: list[dict[str, Any]], role: str, path: str, transcript: TranscriptBuilder, refusals: AnthropicRefusals
) -> set[str]:
    """Enter one turn into the transcript; returns the ids of its tool calls."""
    text, result, called = "", None, set()
    for number, block in enumerate(blocks):
        at = f"{path}.content.{number}"
        kind = block["type"]
        if kind == "text":
            text += _text(block, at, refusals)
        elif kind == "image":
            _image(block, at, refusals)
            transcript.image()
        elif kind == "tool_use":
            called.add(_tool_use(block, role, at, refusals))
            text += str(block["input"])
        elif kind == "tool_result":
            result = (result or "") + _result(block, at, transcript, refusals)
    if result is not None:
        transcript.tool(result)
    if role == "assistant":
        transcript.other(text)
    elif text or result is None:
        transcript.user(text)
    return called


def _text(block: dict[str, Any], at: str, refusals: AnthropicRefusals) -> str:
    text = fields.text(block.get("text"), f"{at}.text.text")
    if not text.strip():
        raise refusals.invalid("messages", "text content blocks must be non-empty")
    return text


def _tool_use(block: dict[str, Any], role: str, at: str, refusals: AnthropicRefusals) -> str:
    if role != "assistant":
        raise refusals.invalid(at, "`tool_use` blocks can only be in `assistant` messages")
    fields.text(block.get("name"), f"{at}.tool_use.name")
    fields.mapping(block.get("input"), f"{at}.tool_use.input")
    return fields.text(block.get("id"), f"{at}.tool_use.id")


def _result(block: dict[str, Any], at: str, transcript: TranscriptBuilder, refusals: AnthropicRefusals) -> str:
    content = block.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    text = ""
    for number, entry in enumerate(fields.array(content, f"{at}.tool_result.content")):
        path = f"{at}.tool_result.content.{number}"
        part = fields.mapping(entry, path)
        if part.get("type") == "image":
            _image(part, path, refusals)
            transcript.image()
        else:
            text += fields.text(part.get("text"), f"{path}.text")
    return text


def _image(block: dict[str, Any], at: str, refusals: AnthropicRefusals) -> None:
    source = fields.mapping(block.get("source"), f"{at}.image.source")
    kind = source.get("type")
    if kind == "base64":
        if source.get("media_type") not in _IMAGE_TYPES:
            allowed = "'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
            raise refusals.invalid(f"{at}.image.source.base64.media_type", f"Input should be {allowed}")
        fields.text(source.get("data"), f"{at}.image.source.base64.data")
    elif kind == "url":
        url = fields.text(source.get("url"), f"{at}.image.source.url.url")
        if not url.startswith("https://"):
            raise refusals.invalid(f"{at}.image.source.url.url", "Only HTTPS URLs are supported.")
    elif kind != "file":
        expected = "'base64', 'file', 'url'"
        found = f"Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
        raise refusals.invalid(f"{at}.image.source", found)

"""What the sandbox says to a prompt: a pure function, the same answer for the same prompt and behaviour."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox import tokens
from sandbox.behaviour import Behaviour
from sandbox.prompt import Prompt, Tool, ToolMode
from sandbox.schema import instance

# A longer text is quoted only so far.
_QUOTED = 2000


class Finish(StrEnum):
    """Why an answer ends; dialects have their own words for it."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool; `arguments` is valid against its schema."""

    name: str
    arguments: dict[str, Any]

    @property
    def json(self) -> str:
        """The arguments as the text a model would write."""
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer with its counts. `cached` is part of `prompt_tokens`, `reasoning` of `completion_tokens`."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    finish: Finish
    # The stop sequence that ended the text.
    stopped_by: str | None
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    # What the model thought, as far as its tokens go; a vendor may keep it to itself.
    reasoning: str = ""
    # The model refuses to answer; there is no text.
    refusal: str | None = None


def compose(provider: str, prompt: Prompt, behaviour: Behaviour) -> Answer:
    """Answer a prompt. Reasoning tokens eat from `max_tokens` first, as with the vendors; tool calls are never cut."""
    told = behaviour.text is not None or behaviour.refusal is not None
    calls = () if told else _tool_calls(prompt)
    text = "" if calls or behaviour.refusal is not None else _text(provider, prompt, behaviour)
    finish, stopped_by = (Finish.TOOL_CALLS if calls else Finish.STOP), None
    for stop in prompt.stop:
        if stop and (at := text.find(stop)) >= 0:
            text, stopped_by = text[:at], stop
    thought = behaviour.reasoning or ""
    reasoning = behaviour.reasoning_tokens or tokens.count(thought)
    if prompt.max_tokens is not None:
        reasoning = min(reasoning, prompt.max_tokens)
        allowed = prompt.max_tokens - reasoning
        if tokens.count(text) > allowed:
            text, finish, stopped_by = tokens.truncate(text, allowed), Finish.LENGTH, None
    spoken = tokens.count(text) + sum(tokens.count(call.name) + tokens.count(call.json) for call in calls)
    return Answer(
        text=text,
        tool_calls=calls,
        finish=finish,
        stopped_by=stopped_by,
        prompt_tokens=prompt.transcript.tokens,
        completion_tokens=spoken + reasoning,
        cached_tokens=min(behaviour.cached_tokens, prompt.transcript.tokens),
        reasoning_tokens=reasoning,
        reasoning=tokens.truncate(thought, reasoning),
        refusal=behaviour.refusal,
    )


def _text(provider: str, prompt: Prompt, behaviour: Behaviour) -> str:
    if behaviour.text is not None:
        return behaviour.text
    if prompt.schema is not None:
        return json.dumps(instance(prompt.schema), ensure_ascii=False)
    said = prompt.transcript
    label = f"[sandbox {provider}/{prompt.model}]"
    if said.tool_result is not None:
        return f"{label} The tool said: {_quoted(said.tool_result)}"
    images = "" if not said.images else " (1 image)" if said.images == 1 else f" ({said.images} images)"
    return f"{label} You said: {_quoted(said.last_user_text)}{images}"


def _quoted(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."


def _tool_calls(prompt: Prompt) -> tuple[ToolCall, ...]:
    choice = prompt.tool_choice
    offered = [tool for tool in prompt.tools if not choice.names or tool.name in choice.names]
    if not offered or choice.mode is ToolMode.NONE:
        return ()
    named = [tool for tool in offered if tool.name in prompt.transcript.last_user_text]
    if choice.mode is ToolMode.REQUIRED:
        called = named or offered[:1]
    else:
        called = named if prompt.transcript.user_spoke_last else []
    return tuple(_call(tool) for tool in (called if choice.parallel else called[:1]))


def _call(tool: Tool) -> ToolCall:
    arguments = instance({"type": "object", **tool.parameters})
    return ToolCall(tool.name, arguments if isinstance(arguments, dict) else {})

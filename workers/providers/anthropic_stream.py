"""Reading Anthropic's stream, from message_start to message_stop. Format: platform.claude.com, Streaming messages.

The end is message_stop: a stream that stops before it was cut.
"""

from collections.abc import Mapping
from typing import Any

from routing.errors import MalformedAnswer
from routing.job import Usage
from workers.providers.anthropic_answer import FINISH_REASONS, failure_in, refusal_in, usage_of
from workers.providers.anthropic_request import JSON_TOOL
from workers.providers.base import Account, Completion, json_object
from workers.providers.completion import completion_of
from workers.providers.event_stream import EventStream, entry_of
from workers.providers.reader import count, json_text, mapping, text
from workers.providers.sse import Event
from workers.providers.status import provider_error, status_within

_THINKING = ("thinking", "redacted_thinking")
# Events that may come before message_start.
_BEFORE = ("message_start", "ping")


class AnthropicStream(EventStream):
    """One stream of a Message."""

    def __init__(self, account: Account, model: str, headers: Mapping[str, str]) -> None:
        super().__init__(account, model, headers)
        self._message: dict[str, Any] = {}
        self._counts: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}
        self._calls = 0
        self._spoken = False
        self._last: dict[str, Any] = {}

    @property
    def usage(self) -> Usage:
        """The input's tokens from the start on; the output's with message_delta."""
        return usage_of(self._counts)

    def _read(self, event: Event) -> list[dict[str, Any]]:
        said = json_object(event.data, 200)
        kind = text(said.get("type"))
        if kind == "error":
            failure = failure_in(mapping(said.get("error")))
            raise provider_error(self._account, self._reply, failure, status_within({}, failure.codes))
        if not self._message and kind not in _BEFORE:
            raise MalformedAnswer(f"{self._account.name} streamed something that is no Message", upstream_status=200)
        if kind == "content_block_delta":
            return self._delta(count(said.get("index")), mapping(said.get("delta")))
        if kind == "message_start":
            self._message = mapping(said.get("message")) or {"type": "message"}
            self._count(self._message)
        elif kind == "content_block_start":
            return self._start(count(said.get("index")), mapping(said.get("content_block")))
        elif kind == "content_block_stop":
            return self._stop(count(said.get("index")))
        elif kind == "message_delta":
            self._last.update(mapping(said.get("delta")))
            self._count(said)
        elif kind == "message_stop":
            self._done = True
            return self._finish()
        # Others (ping, and what is yet to be invented) are to be passed over, as the vendor says.
        return []

    def _start(self, index: int, content: dict[str, Any]) -> list[dict[str, Any]]:
        block = self._blocks[index] = _Block(content)
        if content.get("type") == "text" and (words := text(content.get("text"))):
            return self._content(words)
        if content.get("type") != "tool_use":
            return []
        name, call_id = text(content.get("name")), text(content.get("id"))
        if not name or not call_id:
            raise MalformedAnswer("the answer has a tool_use without a name or an id")
        if name == JSON_TOOL:
            # JSON mode: the stand-in tool's input is the answer's text. A second answer is not wanted.
            block.answers = not any(other.answers for other in self._blocks.values())
            return []
        block.call = self._calls
        self._calls += 1
        call: dict[str, Any] = {"index": block.call, "id": call_id, "type": "function"}
        call["function"] = {"name": name, "arguments": ""}
        return [entry_of(0, {"tool_calls": [call]})]

    def _delta(self, index: int, delta: dict[str, Any]) -> list[dict[str, Any]]:
        block = self._blocks.get(index)
        if block is None:
            raise MalformedAnswer(f"{self._account.name} streamed into no block", upstream_status=200)
        kind = delta.get("type")
        if kind == "text_delta":
            return self._content(text(delta.get("text")))
        if kind == "input_json_delta":
            return self._input(block, text(delta.get("partial_json")))
        if kind == "thinking_delta":
            words = text(delta.get("thinking"))
            block.words.append(words)
            return [entry_of(0, {"reasoning_content": words})] if words else []
        if kind == "signature_delta":
            block.signature += text(delta.get("signature"))
        return []

    def _stop(self, index: int) -> list[dict[str, Any]]:
        block = self._blocks.get(index)
        if block is None:
            return []
        if block.content.get("type") in _THINKING:
            # Anthropic wants it back, unchanged: told once, when its signature is there.
            return [entry_of(0, {"extra_content": {"anthropic": {"thinking_blocks": [block.thought()]}}})]
        if not block.told and (block.call is not None or block.answers):
            # No input was streamed: what stands in the block's start is all of it.
            return self._input(block, json_text(mapping(block.content.get("input"))))
        return []

    def _content(self, words: str) -> list[dict[str, Any]]:
        if not words or any(block.answers for block in self._blocks.values()):
            return []
        self._spoken = True
        return [entry_of(0, {"content": words})]

    def _input(self, block: "_Block", words: str) -> list[dict[str, Any]]:
        if not words:
            return []
        block.told = True
        if block.answers:
            self._spoken = True
            return [entry_of(0, {"content": words})]
        if block.call is None:
            return []
        return [entry_of(0, {"tool_calls": [{"index": block.call, "function": {"arguments": words}}]})]

    def _count(self, holder: dict[str, Any]) -> None:
        """Counts are cumulative, and those that have not changed may be left out."""
        for name, value in mapping(holder.get("usage")).items():
            if value is not None:
                self._counts[name] = value

    def _finish(self) -> list[dict[str, Any]]:
        reason = FINISH_REASONS.get(text(self._last.get("stop_reason")), "stop")
        if reason == "tool_calls" and not self._calls:
            reason = "stop"
        entries = []
        if reason == "content_filter" and not self._spoken:
            entries.append(entry_of(0, {"refusal": refusal_in(self._last)}))
        finish = entry_of(0, {}, reason)
        if sequence := text(self._last.get("stop_sequence")):
            finish["stop_reason"] = sequence
        return [*entries, finish]

    def _whole(self) -> Completion:
        [choice] = self._answer.choices()
        message = choice["message"]
        if message.get("tool_calls") and "extra_content" in message:
            # Where the answer in one piece has it.
            message["tool_calls"][0]["extra_content"] = message.pop("extra_content")
        return completion_of(
            [choice],
            self.usage,
            model=text(self._message.get("model")) or self._model,
            answer_id=text(self._message.get("id")),
        )


class _Block:
    """A content block under way."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        # The number of the tool call it is; None: it is none.
        self.call: int | None = None
        # Its input is the answer's text.
        self.answers = False
        # Some of its input was passed on.
        self.told = False
        self.words: list[str] = [text(content.get("thinking"))]
        self.signature = text(content.get("signature"))

    def thought(self) -> dict[str, Any]:
        """A thinking block as the whole Message would have it; redacted ones come whole."""
        if self.content.get("type") != "thinking":
            return self.content
        return {**self.content, "thinking": "".join(self.words), "signature": self.signature}

"""Asks the running product one case, and notes what passed on both wires: the caller's and the vendor's."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from tests.golden.cases import MODELS, Case, request_of
from tests.support.events import received
from tests.support.stack import Stack, copy_configuration, without_exploration

_WHOLE = {"stream": False}
_STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


@dataclass
class Exchange:
    """One request and what came of it. `sent` is what the vendor was asked, path and body; empty where nothing was."""

    asked: dict[str, Any]
    sent: list[dict[str, Any]]
    status: int
    # The answer in one piece: of a request without `stream`, and of a stream that failed before its first word.
    answer: dict[str, Any] | None = None
    # The data of each event, the last being [DONE] where it was told.
    events: list[Any] = field(default_factory=list)

    @property
    def chunks(self) -> list[dict[str, Any]]:
        """The events that are chunks."""
        return [event for event in self.events if event != "[DONE]" and "error" not in event]

    @property
    def message(self) -> dict[str, Any]:
        """The assistant's message as a caller has it to send back: of a stream, as OpenAI's client adds it up."""
        if self.answer is not None:
            return self.answer["choices"][0]["message"]
        return _added(self.chunks).get_final_completion().to_dict()["choices"][0]["message"]


def added_up(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """The completion that OpenAI's own client makes of `chunks`."""
    told = _added(chunks).current_completion_snapshot.to_dict()
    for choice in (choice for chunk in chunks for choice in chunk["choices"] if "stop_reason" in choice):
        # It leaves out what it does not know of a choice.
        told["choices"][choice["index"]]["stop_reason"] = choice["stop_reason"]
    return told


def _added(chunks: list[dict[str, Any]]) -> ChatCompletionStreamState[None]:
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    return state


def golden_stack(folder: Path) -> Stack:
    """The product with a worker for every dialect, one tenant that may use them all, and one try for each call."""
    copy_configuration(folder)
    without_exploration(folder)
    rows = json.loads((folder / "providers.json").read_text())
    rows = {name: {**row, "enabled": name in MODELS} for name, row in rows.items()}
    (folder / "providers.json").write_text(json.dumps(rows))
    shutil.rmtree(folder / "tenants")
    (folder / "tenants").mkdir()
    tenant = {
        "tenant_id": "default",
        "api_keys": ["ak-demo123"],
        "providers": {"enabled": list(MODELS)},
        "features": {"circuit_breaker": False, "retry_attempts": 0},
    }
    (folder / "tenants" / "default.json").write_text(json.dumps(tenant))
    return Stack(tuple(MODELS), environment={"MODEL_ROUTER_CONFIG": str(folder), "MODEL_ROUTER_KEEP_ALIVE_S": "10"})


def exchanges_of(stack: Stack, provider: str, case: Case) -> dict[str, list[Exchange]]:
    """A case's exchanges: `whole`, in one piece, and `stream`; two of each where the answer's calls are answered."""
    ways = {"whole": _WHOLE, "stream": _STREAMED}
    if case.stream_only:
        del ways["whole"]
    return {name: _conversation(stack, provider, case, way) for name, way in ways.items()}


def _conversation(stack: Stack, provider: str, case: Case, way: dict[str, Any]) -> list[Exchange]:
    asked = {**request_of(provider, case), **way}
    first = _exchange(stack, asked, case.behaviour)
    if not case.goes_on:
        return [first]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": f"result {number}"}
        for number, call in enumerate(first.message["tool_calls"])
    ]
    asked = {**asked, "messages": [*asked["messages"], first.message, *results]}
    return [first, _exchange(stack, asked, {"text": "Sunny."})]


def _exchange(stack: Stack, asked: dict[str, Any], behaviour: dict[str, Any]) -> Exchange:
    stack.sandbox.reset()
    response = stack.post({**asked, "sandbox": behaviour}, stream=True)
    if response.headers["Content-Type"].startswith("text/event-stream"):
        events = list(received(response))
        assert [event.number for event in events if event.data != "[DONE]"] == list(
            range(1, len(events) + (events[-1].data != "[DONE]"))
        )
        return Exchange(asked, _sent(stack), response.status_code, events=[event.data for event in events])
    return Exchange(asked, _sent(stack), response.status_code, answer=response.json())


def _sent(stack: Stack) -> list[dict[str, Any]]:
    return [{"path": body["path"], "body": body["body"]} for body in stack.sandbox.bodies()]

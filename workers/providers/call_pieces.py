"""Tool calls as OpenAI-compatible vendors stream them, whatever their accent, in OpenAI's form."""

import uuid
from typing import Any

from routing.errors import MalformedAnswer
from workers.providers.reader import json_text, mapping, text


class CallPieces:
    """The tool calls of one choice: numbers them, and keeps id, type and name to the first piece of each.

    Vendors leave out the index, say 0 for every parallel call, or repeat id and name in each piece.
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        # The number of the call that a vendor's index stands for now.
        self._numbers: dict[int, int] = {}
        # A call whose name has not come: its first piece, held back.
        self._unnamed: dict[int, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def settle(self, pieces: Any) -> list[dict[str, Any]]:
        """`pieces` of one delta in OpenAI's form; those that say nothing are left out."""
        if not isinstance(pieces, list):
            raise MalformedAnswer("the answer's tool_calls are not a list")
        settled = []
        for piece in pieces:
            if not isinstance(piece, dict):
                raise MalformedAnswer("the answer has a tool call that is not an object")
            if told := self._settle(piece):
                settled.append(told)
        return settled

    def check(self) -> None:
        """MalformedAnswer where a call never got its name."""
        if self._unnamed:
            raise MalformedAnswer("the answer has a tool call without a function's name")

    def _settle(self, piece: dict[str, Any]) -> dict[str, Any] | None:
        kind = "custom" if isinstance(piece.get("custom"), dict) else "function"
        body = mapping(piece.get(kind))
        words = "input" if kind == "custom" else "arguments"
        said, name = _words(body.get(words)), text(body.get("name"))
        number = self._number(piece, name)
        told: dict[str, Any] = {"index": number}
        if number == len(self._ids):
            self._ids.append(text(piece.get("id")) or f"call_{uuid.uuid4().hex[:24]}")
            told.update({"id": self._ids[number], "type": kind, kind: {"name": name, words: said}})
            if not name:
                self._unnamed[number] = told
                return None
        elif number in self._unnamed:
            told = self._unnamed[number]
            told[kind] = {"name": name, words: mapping(told.get(kind)).get(words, "") + said}
            if not name:
                return None
            del self._unnamed[number]
        elif said:
            told[kind] = {words: said}
        if extra := mapping(piece.get("extra_content")):
            told["extra_content"] = extra
        return told if len(told) > 1 else None

    def _number(self, piece: dict[str, Any], name: str) -> int:
        """Which call a piece belongs to; the number of calls so far for a new one."""
        call_id = text(piece.get("id"))
        if call_id and call_id in self._ids:
            return self._ids.index(call_id)
        index = piece.get("index")
        known = self._numbers.get(index) if isinstance(index, int) else len(self._ids) - 1 if self._ids else None
        # Another id and a name, or a name without an index, open another call.
        begins = bool(name) and (bool(call_id) or not isinstance(index, int))
        if known is None or (begins and known not in self._unnamed):
            known = len(self._ids)
            if isinstance(index, int):
                self._numbers[index] = known
        return known


def _words(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json_text(value)

"""Numbers for the entries of lists in chat deltas. OpenAI's client adds lists up by them and fails without."""

from collections.abc import Mapping
from typing import Any

from workers.reading import mapping, objects

# Lists that come entry by entry, and whose entries have no number of their own.
_LISTS = ("images", "annotations")


class Numbering:
    """How many entries each list of each choice has so far."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, str], int] = {}

    def numbered(self, choice: int, delta: Mapping[str, Any]) -> Mapping[str, Any]:
        """`delta` of a choice with an `index` in each entry of such lists; `delta` itself where it has none."""
        told: dict[str, Any] = {name: self._entries(choice, name, delta[name]) for name in _LISTS if name in delta}
        own = mapping(mapping(delta.get("extra_content")).get("anthropic"))
        if "thinking_blocks" in own:
            blocks = self._entries(choice, "thinking_blocks", own["thinking_blocks"])
            told["extra_content"] = {**delta["extra_content"], "anthropic": {**own, "thinking_blocks": blocks}}
        return {**delta, **told} if told else delta

    def _entries(self, choice: int, name: str, entries: Any) -> list[dict[str, Any]]:
        first = self._counts.get((choice, name), 0)
        told = [{"index": number, **entry} for number, entry in enumerate(objects(entries), first)]
        self._counts[choice, name] = first + len(told)
        return told

"""Reading Gemini's stream: GenerateContentResponses whose parts follow each other. Format: ai.google.dev/api.

There is no event for the end: it is there when each candidate has its finish reason, or the prompt was blocked.
"""

from collections.abc import Mapping
from typing import Any

from routing.errors import MalformedAnswer
from routing.job import Usage
from workers.providers.base import Account, Completion, json_object
from workers.providers.completion import completion_of
from workers.providers.event_stream import EventStream, entry_of
from workers.providers.gemini_answer import (
    BROKEN,
    FINISH_REASONS,
    blocked_answer,
    blocked_prompt,
    failure_in,
    gave_up,
    image,
    logprobs_of,
    signed,
    tool_call,
    usage_of,
)
from workers.providers.reader import count, mapping, objects, text
from workers.providers.sse import Event
from workers.providers.status import provider_error, status_within


class GeminiStream(EventStream):
    """One stream of responses."""

    def __init__(self, account: Account, model: str, headers: Mapping[str, str]) -> None:
        super().__init__(account, model, headers)
        self._counts: dict[str, Any] = {}
        self._candidates: dict[int, _Candidate] = {}
        self._name = ""
        self._identifier = ""
        self._blocked = False

    @property
    def usage(self) -> Usage:
        """The counts of the last response that told them."""
        return usage_of(self._counts)

    @property
    def done(self) -> bool:
        """Whether each candidate so far has its finish reason, or the prompt was blocked."""
        told = self._candidates.values()
        return self._blocked or (bool(told) and all(candidate.finished for candidate in told))

    @property
    def _ended(self) -> bool:
        return self.done

    def _read(self, event: Event) -> list[dict[str, Any]]:
        try:
            response = json_object(event.data, 200)
        except MalformedAnswer:
            if not self.done:
                raise
            # Beyond the end, as a proxy's [DONE] is.
            return []
        if error := mapping(response.get("error")):
            failure = failure_in(error)
            raise provider_error(self._account, self._reply, failure, status_within(error, failure.codes))
        self._counts.update(mapping(response.get("usageMetadata")))
        self._name = text(response.get("modelVersion")) or self._name
        self._identifier = text(response.get("responseId")) or self._identifier
        entries: list[dict[str, Any]] = []
        candidates = objects(response.get("candidates"))
        for position, given in enumerate(candidates):
            index = count(given["index"]) if "index" in given else position
            candidate = self._candidates.setdefault(index, _Candidate())
            entries += candidate.read(self._account, index, given)
        reason = text(mapping(response.get("promptFeedback")).get("blockReason"))
        if reason and not self._candidates and not self._blocked:
            self._blocked = True
            entries += [entry_of(0, {"refusal": blocked_prompt(reason)}), entry_of(0, {}, "content_filter")]
        if not candidates and not reason and "usageMetadata" not in response and "promptFeedback" not in response:
            raise MalformedAnswer(f"{self._account.name} streamed no response", upstream_status=200)
        return entries

    def _whole(self) -> Completion:
        return completion_of(
            self._answer.choices(), self.usage, model=self._name or self._model, answer_id=self._identifier
        )


class _Candidate:
    """What must be known of a candidate to settle its next parts."""

    def __init__(self) -> None:
        self.finished = False
        self._calls = 0
        self._spoken = False
        self._said = False
        # The last one beside no call. Told once, at the end: clients add up what is told twice into one text.
        self._signature = ""

    def read(self, account: Account, index: int, given: dict[str, Any]) -> list[dict[str, Any]]:
        """The entries of its parts, in their order, and of its finish reason."""
        deltas = [self._delta(part) for part in objects(mapping(given.get("content")).get("parts"))]
        entries = [entry_of(index, delta) for delta in deltas if delta]
        self._said = self._said or bool(deltas)
        if logprobs := logprobs_of(mapping(given.get("logprobsResult"))):
            entries = entries or [entry_of(index, {})]
            entries[0]["logprobs"] = logprobs
        reason = text(given.get("finishReason"))
        # Old models give it with every response; the first counts, and what follows is still passed on.
        if reason and not self.finished:
            entries += self._finish(account, index, reason)
        return entries

    def _finish(self, account: Account, index: int, reason: str) -> list[dict[str, Any]]:
        if reason in BROKEN and not self._said:
            raise gave_up(account, reason)
        self.finished = True
        finish = FINISH_REASONS.get(reason, "stop")
        entries = []
        if finish == "content_filter" and not self._spoken and not self._calls:
            entries.append(entry_of(index, {"refusal": blocked_answer(reason)}))
        if finish == "stop" and self._calls:
            finish = "tool_calls"
        if self._signature:
            entries.append(entry_of(index, {"extra_content": signed(self._signature)}))
        return [*entries, entry_of(index, {}, finish)]

    def _delta(self, part: dict[str, Any]) -> dict[str, Any]:
        delta: dict[str, Any] = {}
        if words := text(part.get("text")):
            delta["reasoning_content" if part.get("thought") else "content"] = words
            self._spoken = self._spoken or not part.get("thought")
        if isinstance(part.get("inlineData"), dict):
            delta["images"] = [image(part["inlineData"])]
        if isinstance(part.get("functionCall"), dict):
            delta["tool_calls"] = [{"index": self._calls, **tool_call(part)}]
            self._calls += 1
        elif signature := text(part.get("thoughtSignature")):
            self._signature = signature
        return delta

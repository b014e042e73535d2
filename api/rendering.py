"""A stream as server-sent events, numbered: the same numbers whichever process tells it, and however often."""

import json
from collections.abc import Callable, Sequence

from workers import frames
from workers.frames import Speaker
from workers.ledger.record import Ended
from workers.surfaces.base import Event, EventWriter, Head, Surface, compact

_QUOTE = ord('"')


class Rendering:
    """Tells one stream from its beginning; only what comes after event number `after` is given out."""

    def __init__(self, surface: Surface, head: Callable[[str], Head], after: int = 0) -> None:
        """`head` makes the stream's head of the model that answers."""
        self._surface = surface
        self._head = head
        self._after = after
        self._number = 0
        self._writer: EventWriter | None = None
        # Whether the end was told.
        self.ended = False

    def lines(self, lines: Sequence[bytes]) -> bytes:
        """The events of frames, in their order."""
        told = []
        for line in lines:
            around = self._writer.content_around if self._writer is not None else None
            if around is not None and line[0] == _QUOTE:
                self._number += 1
                if self._number > self._after:
                    told.append(b"id: %d\n%b%b%b" % (self._number, around[0], line, around[1]))
            else:
                told.append(self._events(line))
        return b"".join(told)

    def end(self, ended: Ended) -> bytes:
        """The events of the job's end."""
        self.ended = True
        body = json.loads(ended.answer)
        writer = self._told_by("")
        if ended.http_status < 400:
            return self._numbered(writer.completed(body)) + self._surface.terminator
        return self._numbered(writer.failed(body, ended.http_status))

    def _events(self, line: bytes) -> bytes:
        frame = frames.read(line)
        if isinstance(frame, Speaker):
            self._told_by(frame.model)
            return b""
        return self._numbered(self._told_by("").choice(frame))

    def _told_by(self, model: str) -> EventWriter:
        if self._writer is None:
            self._writer = self._surface.writer(self._head(model))
        return self._writer

    def _numbered(self, events: Sequence[Event]) -> bytes:
        told = []
        for event in events:
            self._number += 1
            if self._number > self._after:
                name = "" if event.name is None else f"event: {event.name}\n"
                told.append(f"id: {self._number}\n{name}data: {compact(event.data)}\n\n".encode())
        return b"".join(told)

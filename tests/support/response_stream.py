"""A stream of response events as OpenAI's SDK reads it: each event validated, all of them put together by its rules."""

import typing

from openai._types import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent

from workers.surfaces.base import Event

_MEMBERS = typing.get_args(typing.get_args(ResponseStreamEvent)[0])
MODELS = {typing.get_args(member.model_fields["type"].annotation)[0]: member for member in _MEMBERS}


def valid(shown: dict) -> dict:
    """`shown`, which the SDK's own type of a response takes as it is."""
    Response.model_validate(shown, strict=True)
    return shown


def accumulated(events: list[Event]) -> ResponseStreamState:
    """The SDK's state after `events`, all of which are valid and numbered from 0."""
    state = ResponseStreamState(input_tools=omit, text_format=omit)
    for number, event in enumerate(events):
        assert event.data["sequence_number"] == number
        assert event.name == event.data["type"]
        parsed = MODELS[event.name].model_validate(event.data)
        if event.name != "error":
            state.handle_event(parsed)
    return state


def texts(events: list[Event]) -> dict[str, str]:
    """What the deltas of each kind say, put together."""
    said: dict[str, str] = {}
    for event in events:
        kind = event.data["type"]
        if kind.endswith(".delta"):
            said[kind] = said.get(kind, "") + event.data["delta"]
    return said

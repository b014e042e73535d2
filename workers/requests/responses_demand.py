"""A checked request of the Responses API as what providers are asked: a chat, a response of their own, or either."""

from collections.abc import Mapping, Sequence
from typing import Any

from workers.requests.demand import Demand
from workers.surfaces.registry import RESPONSES
from workers.surfaces.responses_input import Item
from workers.surfaces.responses_native import native_of
from workers.surfaces.responses_request import chat_request, echo_of, passed


def demand_of(body: Mapping[str, Any], items: Sequence[Item], *, earlier: int = 0) -> Demand:
    """What `body` asks for, whose conversation is `items`, the first `earlier` of them not from its own input.

    Raises InvalidRequest where calls and their outputs do not match, and where nothing is said.
    """
    native = native_of(body, items, earlier=earlier)
    only = native is not None and native.needed_by
    asked = passed(body) if only else chat_request(body, items, earlier=earlier)
    return Demand(RESPONSES, asked, echo_of(body, items), native)

"""A page of what the admin API lists, cut from a list that is in memory."""

from collections.abc import Sequence
from typing import Any

from flask import Response, request

from api import replies
from api.openapi.operation import Parameter
from api.page import LIMIT, as_list, limit_asked
from routing.errors import InvalidRequest

PAGE = (LIMIT, Parameter("after", "query", "The `last_id` of the page before.", {"type": "string"}))


def page_of(entries: Sequence[dict[str, Any]]) -> Response:
    """The part of `entries` that the query asks for; InvalidRequest where it begins after none of them."""
    limit, begin = limit_asked(), 0
    after = request.args.get("after")
    if after is not None:
        begin = next((place for place, entry in enumerate(entries, start=1) if entry["id"] == after), 0)
        if not begin:
            raise InvalidRequest("after: there is nothing with this id in the list", param="after")
    shown = entries[begin : begin + limit]
    last = shown[-1]["id"] if shown else None
    return replies.as_json(as_list(shown, last, more=begin + limit < len(entries)))

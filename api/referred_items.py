"""Items of earlier responses that a request refers to by their ids instead of sending them."""

import json
import re
from collections.abc import Sequence
from typing import Any

from api.context import services
from api.kept_responses import find_kept, items_of
from api.principal import Principal
from routing.errors import InvalidRequest
from workers.surfaces.responses_input import Item
from workers.surfaces.responses_items import is_reference

# Of how many responses the items may be; each is a read.
MOST_REFERRED = 64
_ITEM_ID = re.compile(r"[a-z]+_([0-9a-f]{32})(?:_\w+)?")


def with_referred(items: Sequence[Item], principal: Principal, *, earlier: int) -> list[Item]:
    """`items` with those in place of which a reference stands; the first `earlier` are not from the request's input.

    An item that is there already is not repeated. Raises InvalidRequest for an item nobody has, and for too many.
    """
    told, known = list(items[:earlier]), {item.get("id") for item in items[:earlier]}
    asked = Referred(principal)
    for place, item in enumerate(items[earlier:]):
        if not is_reference(item):
            told.append(item)
        elif item["id"] not in known:
            known.add(item["id"])
            told.append(asked.item(item["id"], f"input[{place}].id"))
    return told


class Referred:
    """The items that one request refers to: each response is read once."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal
        self._items: dict[str, dict[str, Any]] = {}
        self._read: set[str] = set()
        self._left = services().settings.max_body_bytes

    def item(self, item_id: str, where: str) -> Item:
        """The item of a response of this tenant that its id names; only ids that this router gave do."""
        named = _ITEM_ID.fullmatch(item_id)
        if named is not None and named[1] not in self._read:
            if len(self._read) >= MOST_REFERRED:
                raise InvalidRequest(
                    f"{where}: items of at most {MOST_REFERRED} responses can be referred to", param=where
                )
            self._read.add(named[1])
            record = find_kept(f"resp_{named[1]}", self._principal)
            self._items |= {item["id"]: item for item in items_of(record) if "id" in item} if record else {}
        if item_id not in self._items:
            raise InvalidRequest(f"{where}: Item with id {item_id[:80]!r} not found.", param=where)
        self._left -= len(json.dumps(self._items[item_id]))
        if self._left < 0:
            raise InvalidRequest(f"{where}: the items referred to are longer than a request may be", param=where)
        return self._items[item_id]

"""One POST to the running API on this machine, as any caller would send it."""

import json
import urllib.error
import urllib.request
from typing import Any


def post(url: str, key: str, body: dict[str, Any], timeout_s: float) -> Any:
    """The JSON the API answers. Raises urllib's HTTPError, OSError, http.client's HTTPException, or ValueError."""
    request = urllib.request.Request(  # noqa: S310 - a URL we built, http
        url,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key.strip()}", "Content-Type": "application/json"},
    )
    # The API is on this machine: a proxy of the environment has no part in it.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=timeout_s) as response:
        return json.load(response)


def error_message(body: bytes) -> str | None:
    """What an error answer says in OpenAI's form; None where it is not in that form."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return None

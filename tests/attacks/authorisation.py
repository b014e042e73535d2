"""Who may call which route: the table that tests/attacks/test_authorisation.py holds the running product to.

A route that is not in it fails that test: whoever adds one decides here who may use it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.support.stack import chat

MESSAGES = {"model": "fast", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello."}]}
ENDPOINT = {"url": "http://127.0.0.1:9/", "disabled": True}
BATCH = {
    "endpoint": "/v1/chat/completions",
    "completion_window": "24h",
    "requests": [{"custom_id": "one", "body": chat("One.", model="fast")}],
}


class Access(Enum):
    """For whom a route is."""

    # No key is asked for, and none makes a difference.
    OPEN = "open"
    # Every tenant, which meets what is its own.
    TENANT = "tenant"
    # The tenant whose thing the path names; for every other there is no such thing.
    OWNER = "owner"
    # The admin key, and no tenant's.
    ADMIN = "admin"


@dataclass(frozen=True)
class Route:
    """Who may, and a request that is sound but for its caller."""

    access: Access
    body: Mapping[str, Any] | None = None
    # What is uploaded; the body is then its form.
    file: bytes | None = None
    # What those it serves may meet beside: there is nothing of theirs there, or it is not set up here.
    also: tuple[int, ...] = ()


TENANT_BODY = {"tenant_id": "made-by-the-matrix", "providers": {"enabled": ["groq"]}}
_ADMIN = Route(Access.ADMIN)
_OPEN = Route(Access.OPEN)
_TENANT = Route(Access.TENANT)
_OWNER = Route(Access.OWNER)

ROUTES: Mapping[tuple[str, str], Route] = {
    ("GET", "/livez"): _OPEN,
    ("GET", "/readyz"): _OPEN,
    ("GET", "/health"): _OPEN,
    ("GET", "/docs"): _OPEN,
    ("GET", "/openapi.json"): _OPEN,
    ("GET", "/v1/health/providers"): _TENANT,
    ("GET", "/v1/models"): _TENANT,
    ("GET", "/v1/models/<path:model>"): _TENANT,
    ("POST", "/v1/chat/completions"): Route(Access.TENANT, chat("Hello.", model="fast")),
    ("POST", "/v1/completions"): Route(Access.TENANT, {"model": "fast", "prompt": "Hello."}),
    ("POST", "/v1/embeddings"): Route(Access.TENANT, {"model": "gemini-embedding-001", "input": "Hello."}),
    ("POST", "/v1/messages"): Route(Access.TENANT, MESSAGES),
    ("POST", "/v1/messages/count_tokens"): Route(Access.TENANT, MESSAGES),
    ("POST", "/v1/routing/plan"): Route(Access.TENANT, chat("Hello.", model="fast")),
    ("POST", "/v1/responses"): Route(Access.TENANT, {"model": "fast", "input": "Hello."}),
    ("GET", "/v1/responses/<response_id>"): _OWNER,
    ("DELETE", "/v1/responses/<response_id>"): _OWNER,
    ("POST", "/v1/responses/<response_id>/cancel"): _OWNER,
    ("GET", "/v1/responses/<response_id>/input_items"): _OWNER,
    ("GET", "/v1/jobs"): _TENANT,
    ("GET", "/v1/jobs/<job_id>"): _OWNER,
    ("POST", "/v1/jobs/<job_id>/cancel"): _OWNER,
    ("POST", "/v1/jobs/<job_id>/replay"): _OWNER,
    ("GET", "/v1/jobs/<job_id>/stream"): _OWNER,
    ("POST", "/v1/files"): Route(Access.TENANT, {"purpose": "batch"}, file=b"{}\n"),
    ("GET", "/v1/files"): _TENANT,
    ("GET", "/v1/files/<file_id>"): _OWNER,
    ("DELETE", "/v1/files/<file_id>"): _OWNER,
    ("GET", "/v1/files/<file_id>/content"): _OWNER,
    ("POST", "/v1/batches"): Route(Access.TENANT, BATCH),
    ("GET", "/v1/batches"): _TENANT,
    ("GET", "/v1/batches/<batch_id>"): _OWNER,
    ("POST", "/v1/batches/<batch_id>/cancel"): _OWNER,
    ("GET", "/v1/batches/<batch_id>/results"): _OWNER,
    ("GET", "/v1/webhooks/secret"): _TENANT,
    ("POST", "/v1/webhooks/secret/rotate"): _TENANT,
    ("POST", "/v1/webhooks/endpoints"): Route(Access.TENANT, ENDPOINT),
    ("GET", "/v1/webhooks/endpoints"): _TENANT,
    ("GET", "/v1/webhooks/endpoints/<endpoint_id>"): _OWNER,
    ("PATCH", "/v1/webhooks/endpoints/<endpoint_id>"): Route(Access.OWNER, {"description": "mine"}),
    ("DELETE", "/v1/webhooks/endpoints/<endpoint_id>"): _OWNER,
    ("GET", "/v1/webhooks/endpoints/<endpoint_id>/secret"): _OWNER,
    ("POST", "/v1/webhooks/endpoints/<endpoint_id>/rotate"): _OWNER,
    ("POST", "/v1/webhooks/endpoints/<endpoint_id>/test"): _OWNER,
    ("GET", "/v1/webhooks/deliveries"): _TENANT,
    ("GET", "/v1/webhooks/deliveries/<delivery_id>"): _OWNER,
    ("POST", "/v1/webhooks/deliveries/<delivery_id>/redeliver"): _OWNER,
    ("POST", "/admin/v1/keys"): Route(Access.ADMIN, {"tenant_id": "default"}),
    ("GET", "/admin/v1/keys"): _ADMIN,
    ("GET", "/admin/v1/keys/<key_id>"): _ADMIN,
    ("PATCH", "/admin/v1/keys/<key_id>"): Route(Access.ADMIN, {"name": "renamed"}),
    ("DELETE", "/admin/v1/keys/<key_id>"): _ADMIN,
    ("POST", "/admin/v1/keys/<key_id>/revoke"): _ADMIN,
    ("POST", "/admin/v1/keys/<key_id>/rotate"): _ADMIN,
    ("POST", "/admin/v1/tenants"): Route(Access.ADMIN, TENANT_BODY),
    ("GET", "/admin/v1/tenants"): _ADMIN,
    ("GET", "/admin/v1/tenants/<tenant_id>"): _ADMIN,
    ("PATCH", "/admin/v1/tenants/<tenant_id>"): Route(Access.ADMIN, {"name": "renamed"}),
    ("DELETE", "/admin/v1/tenants/<tenant_id>"): _ADMIN,
    ("GET", "/metrics"): _OPEN,
    ("GET", "/console"): _OPEN,
    ("GET", "/console/<version>/<path:name>"): _OPEN,
    ("GET", "/v1/console/overview"): _TENANT,
    ("GET", "/admin/v1/overview"): _ADMIN,
    ("GET", "/v1/limits"): _TENANT,
    ("GET", "/v1/usage"): _TENANT,
    ("GET", "/admin/v1/usage"): _ADMIN,
    ("GET", "/v1/provider-keys"): _TENANT,
    ("GET", "/v1/provider-keys/<provider>"): Route(Access.TENANT, also=(404,)),
    ("PUT", "/v1/provider-keys/<provider>"): Route(Access.TENANT, {"api_key": "gsk_of-the-matrix"}, also=(503,)),
    ("DELETE", "/v1/provider-keys/<provider>"): Route(Access.TENANT, also=(404,)),
    ("POST", "/v1/webhooks/replay"): Route(Access.TENANT, {"since": 0, "until": 1}),
}

# The status a caller meets, by the route's access and who calls.
SERVED = "served"
EXPECTED: Mapping[Access, Mapping[str, int | str]] = {
    Access.OPEN: dict.fromkeys(
        ("no key", "wrong key", "revoked key", "expired key", "other tenant", "admin", "tenant"), SERVED
    ),
    Access.TENANT: {
        **dict.fromkeys(("no key", "wrong key", "revoked key", "expired key", "admin"), 401),
        **dict.fromkeys(("other tenant", "tenant"), SERVED),
    },
    Access.OWNER: {
        **dict.fromkeys(("no key", "wrong key", "revoked key", "expired key", "admin"), 401),
        "other tenant": 404,
        "tenant": SERVED,
    },
    Access.ADMIN: {
        "no key": 401,
        **dict.fromkeys(("wrong key", "revoked key", "expired key", "other tenant", "tenant"), 403),
        "admin": SERVED,
    },
}


def as_expected(route: Route, caller: str, status: int) -> bool:
    """Whether this caller may meet `status`; whom the route serves: no fault of ours, and none in who the caller is."""
    expected = EXPECTED[route.access][caller]
    if expected == SERVED:
        return status in route.also or (status < 500 and status not in (401, 403, 404))
    return status == expected

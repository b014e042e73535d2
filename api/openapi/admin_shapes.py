"""What the admin API says of tenants and their keys."""

from typing import Any

from api.openapi.shape import Shape, flag, listing, mapping, maybe, number, record, text, whole, word
from api.page import list_of

_SOURCE = word(["runtime", "file"], "`file`: it stands in a file of config/tenants/, and is changed there.")
_KEY: dict[str, Any] = {
    "id": text("Names the key; it is no secret."),
    "object": word(["access_key"]),
    "source": _SOURCE,
    "tenant_id": text(),
    "name": text(),
    "prefix": text("The first characters of its secret; empty where only a hash is known."),
    "status": word(["active", "expired", "revoked"]),
    "created_at": maybe(whole("Unix seconds.")),
    "expires_at": maybe(number("Unix seconds; null: it does not expire.")),
    "revoked_at": maybe(whole("Unix seconds.")),
    "previous_valid_until": maybe(number("Until when the secret before the last rotation is valid; Unix seconds.")),
    "limits": mapping("As a tenant's `quotas`; both hold.", number()),
    "models": maybe(listing(text(), "What it may use; null: all that its tenant may.")),
    "providers": maybe(listing(text(), "Whom it may use; null: all that its tenant may.")),
    "metadata": mapping("Yours.", text()),
}

ACCESS_KEY = Shape("AccessKey", record("One of a tenant's keys, without its secret.", _KEY))

ACCESS_KEY_SECRET = Shape(
    "AccessKeyWithSecret",
    record("A key and its secret, which is shown once.", {**_KEY, "secret": text("What the caller sends, `mr-...`.")}),
)

ACCESS_KEYS = list_of("AccessKeys", ACCESS_KEY, "A page of keys, the newest first; those of files come last.")

ACCESS_KEY_DELETED = Shape(
    "AccessKeyDeleted",
    record("It is gone.", {"id": text(), "object": word(["access_key.deleted"]), "deleted": flag("True.")}),
)

TENANT = Shape(
    "Tenant",
    record(
        "Who calls: whose jobs, files and figures are apart from all others'.",
        {
            "id": text(),
            "object": word(["tenant"]),
            "source": _SOURCE,
            "name": maybe(text()),
            "status": word(["active", "inactive", "suspended"], "No key of one that is not active works."),
            "created_at": maybe(whole("Unix seconds.")),
            "updated_at": maybe(whole("Unix seconds.")),
            "providers": record(
                "Whom it may use.",
                {"enabled": listing(text()), "primary": maybe(text()), "fallback_order": listing(text())},
            ),
            "routing_policy": text(),
            "quotas": mapping("Its limits, those that there are.", number()),
            "features": mapping("What is switched on or set for it.", {}),
            "batch_weight": whole(),
        },
    ),
)

TENANTS = list_of("Tenants", TENANT, "A page of tenants, by their ids.")

TENANT_DELETED = Shape(
    "TenantDeleted",
    record("It is gone.", {"id": text(), "object": word(["tenant.deleted"]), "deleted": flag("True.")}),
)

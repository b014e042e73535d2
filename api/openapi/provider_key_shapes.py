"""What the API says of tenants' own provider keys."""

from api.openapi.shape import Shape, flag, listing, maybe, record, text, whole, word

PROVIDER_KEY = Shape(
    "ProviderKey",
    record(
        "That a tenant has a key of its own for a provider, and never the key.",
        {
            "provider": text(),
            "object": word(["provider_key"]),
            "source": word(["stored", "file"], "Whether it was sent here, or stands in the tenant's file."),
            "last4": text("Its last four characters; empty of a short one."),
            "set_at": maybe(whole("Unix seconds; null of one that stands in a file.")),
            "fallback_to_shared": flag("Whether the shared account is called when the provider refuses the key."),
        },
    ),
)

PROVIDER_KEYS = Shape(
    "ProviderKeys",
    record("All of them, by provider.", {"object": word(["list"]), "data": listing(PROVIDER_KEY)}),
)

PROVIDER_KEY_DELETED = Shape(
    "ProviderKeyDeleted",
    record("It is gone.", {"provider": text(), "object": word(["provider_key.deleted"]), "deleted": flag("True.")}),
)

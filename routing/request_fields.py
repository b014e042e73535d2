"""The names of a chat request's fields that are ours: read by the router, never sent to a provider."""

ROUTER_FIELDS: frozenset[str] = frozenset(
    {
        "models",
        "provider",
        "route",
        "routing_policy",
        "webhook_url",
        "service_tier",
        "deadline_s",
        "on_disconnect",
        "background",
        "stream",
        "stream_options",
        "continue_on_failover",
        "metadata",
        "store",
        # What only Anthropic has words for: its adapter reads it.
        "anthropic",
    }
)

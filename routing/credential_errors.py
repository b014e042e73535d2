"""The errors of tenants' own provider keys; they stand in the tree of routing/errors.py."""

from routing.errors import RequestError


class ProviderKeyConflict(RequestError):
    """A tenant's own provider key does not go together with how the router is set up."""

    status = 409
    code = "provider_key_conflict"
    retryable = False


class EncryptionKeyMissing(ProviderKeyConflict):
    """There is nothing to seal a provider key with."""

    code = "encryption_key_missing"

"""The errors of tenants and keys; they stand in the tree of routing/errors.py."""

from routing.errors import RequestError


class AccessConflict(RequestError):
    """It does not go together with how the tenant or the key stands, or that one stands in a file."""

    status = 409
    code = "access_conflict"
    retryable = False


class ModelNotAllowed(RequestError):
    """The key may not use this model, though its tenant may."""

    status = 403
    code = "model_not_allowed"

"""Who may use /admin: whoever has the admin key, which belongs to no tenant."""

import hmac

from flask import request

from api.context import services
from api.principal import given_key
from routing.errors import AdminKeyRequired, NotFound, Unauthenticated


def require_admin() -> None:
    """Let the request go on only with the admin key, as a Bearer token or in X-Api-Key.

    Raises NotFound where no admin key is set, or the admin API has a port of its own and this is not that one;
    Unauthenticated without a key, AdminKeyRequired for any other key. The key is a setting, in memory: nothing is asked
    of Redis.
    """
    settings = services().settings
    expected = settings.admin_key
    if expected is None:
        raise NotFound("there is no admin API here: MODEL_ROUTER_ADMIN_KEY turns it on")
    # The port of the socket that the request came by, which no header of it can change.
    if settings.admin_port is not None and request.environ["SERVER_PORT"] != str(settings.admin_port):
        raise NotFound("there is no admin API on this port: it has one of its own, MODEL_ROUTER_ADMIN_PORT")
    secret = given_key()
    if not secret:
        raise Unauthenticated("no API key: send the admin key as `Authorization: Bearer ADMIN_KEY`")
    if not hmac.compare_digest(secret.encode("utf-8", "surrogatepass"), expected.encode()):
        raise AdminKeyRequired("this key does not open the admin API: the admin key does")

"""Who may use /admin: whoever has the admin key, which belongs to no tenant."""

import hmac

from api.context import services
from api.principal import given_key
from routing.errors import AdminKeyRequired, NotFound, Unauthenticated


def require_admin() -> None:
    """Let the request go on only with the admin key, as a Bearer token or in X-Api-Key.

    Raises NotFound where no admin key is set, Unauthenticated without a key, AdminKeyRequired for any other key. The
    key is a setting, in memory: nothing is asked of Redis.
    """
    expected = services().settings.admin_key
    if expected is None:
        raise NotFound("there is no admin API here: MODEL_ROUTER_ADMIN_KEY turns it on")
    secret = given_key()
    if not secret:
        raise Unauthenticated("no API key: send the admin key as `Authorization: Bearer ADMIN_KEY`")
    if not hmac.compare_digest(secret.encode("utf-8", "surrogatepass"), expected.encode()):
        raise AdminKeyRequired("this key does not open the admin API: the admin key does")

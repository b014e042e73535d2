"""Standard Webhooks' secrets and signatures (https://www.standardwebhooks.com). Pure."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence

# How far the receiver's clock and the sender's may be apart, in seconds.
TOLERANCE_S = 300
SECRET_PREFIX = "whsec_"  # noqa: S105 (a prefix, not a secret)
_FORM = re.compile(r"whsec_(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def new_secret() -> str:
    """A fresh signing secret of 24 random bytes."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: HMAC-SHA256 over "id.timestamp.body" in base64, behind "v1,"."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def is_secret(text: str) -> bool:
    """Whether `text` has the form of a secret."""
    return _FORM.fullmatch(text) is not None


def why_not_verified(
    known: Sequence[str], message_id: str, timestamp: str, signatures: str, body: bytes, now: float
) -> str | None:
    """None where one of the signatures is one of the `known` secrets'; else what is wrong, in words.

    `message_id`, `timestamp`, `signatures`: the headers `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    """
    if not (message_id and timestamp and signatures):
        return "a webhook-... header is missing"
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return "webhook-timestamp is no Unix time"
    if abs(now - int(timestamp)) > TOLERANCE_S:
        return f"webhook-timestamp is more than {TOLERANCE_S} s off"
    given = [word.encode() for word in signatures.split(" ")]
    for secret in known:
        wanted = sign(secret, message_id, int(timestamp), body).encode()
        if any(hmac.compare_digest(wanted, word) for word in given):
            return None
    return "no signature is that of a known secret"

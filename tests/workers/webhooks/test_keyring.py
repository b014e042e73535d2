"""The secrets of a receiver: which are valid when, and that each of them verifies."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from workers.signature import new_secret
from workers.webhooks.keyring import MAX_PREVIOUS, Keyring

GRACES = st.lists(st.integers(0, 10_000), max_size=6)


@given(graces=GRACES, later=st.integers(0, 20_000))
def test_the_ones_before_are_valid_for_their_time(graces, later):
    """After any rotations the newest is in force, and of those before it the last few; no grace is prolonged."""
    keyring, ends = Keyring("whsec_first"), []
    for number, grace in enumerate(graces):
        ends = [(secret, min(until, number + grace)) for secret, until in (*ends, (keyring.current, number + grace))]
        keyring = keyring.rotated(f"whsec_{number}", number, grace)
    assert keyring.current == (f"whsec_{len(graces) - 1}" if graces else "whsec_first")
    told = keyring.valid(later)
    assert all(until > later and (secret, until) in ends for secret, until in told.previous)
    assert len(told.previous) <= MAX_PREVIOUS
    if ends:
        assert (ends[-1] in told.previous) == (ends[-1][1] > max(later, len(graces) - 1))
    assert Keyring.parse(keyring.text) == keyring


def test_every_valid_secret_verifies():
    """The standard's own library takes the header with the new secret and, for its time, with the old one."""
    old, new = new_secret(), new_secret()
    now_ms = int(time.time() * 1000)
    keyring = Keyring(old).rotated(new, now_ms, 5000)
    body = b'{"type": "webhook.test"}'

    def headers(at_ms):
        signed = keyring.signatures("msg_1", at_ms, body)
        return {"webhook-id": "msg_1", "webhook-timestamp": str(at_ms // 1000), "webhook-signature": signed}

    for secret in (old, new):
        assert Webhook(secret).verify(body, headers(now_ms))
    assert Webhook(new).verify(body, headers(now_ms + 6000))
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(body, headers(now_ms + 6000))

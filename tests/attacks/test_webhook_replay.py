"""A webhook that was heard on the way is of no use to who heard it."""

import time

import pytest

from workers.signature import TOLERANCE_S, new_secret, sign, why_not_verified

SECRET, OTHER = new_secret(), new_secret()
NOW = int(time.time())
BODY = b'{"type": "job.completed"}'


def verify(secrets=(SECRET,), *, name="msg_1", at=NOW, signatures=None, body=BODY, now=NOW):
    """Why a message signed at NOW under the name msg_1 does not verify as it is told; None: it does."""
    signed = sign(SECRET, "msg_1", NOW, BODY) if signatures is None else signatures
    return why_not_verified(list(secrets), name, str(at), signed, body, now)


def test_a_message_verifies_in_its_time():
    """By its secret, and by one that is being replaced."""
    assert verify() is None
    assert verify((OTHER, SECRET)) is None


@pytest.mark.parametrize("off_s", [TOLERANCE_S + 1, -TOLERANCE_S - 1, 86_400, -86_400])
def test_a_message_is_of_no_use_later(off_s):
    """Beyond the tolerance, before or after, it is refused, though its signature is right."""
    assert "off" in verify(now=NOW + off_s)


@pytest.mark.parametrize(
    "changed",
    [
        {"at": NOW + 1},
        {"at": NOW + 86_400, "now": NOW + 86_400},
        {"name": "msg_2"},
        {"body": BODY + b" "},
        {"body": b""},
        {"secrets": (OTHER,)},
        {"secrets": ()},
        {"signatures": sign(OTHER, "msg_1", NOW, BODY)},
        {"signatures": "v1,"},
        {"signatures": "v1, v1,"},
        {"signatures": sign(SECRET, "msg_1", NOW, BODY).replace("v1,", "v2,")},
        {"signatures": sign(SECRET, "msg_1", NOW, BODY).replace("v1,", "")},
        {"signatures": sign(SECRET, "msg_1", NOW, BODY)[:-1]},
        {"signatures": ""},
        {"at": ""},
        {"at": f"{NOW}.0"},
        {"at": f"+{NOW}"},
        {"at": f" {NOW}"},
        {"at": -NOW},
        {"at": "9" * 400},
        {"at": "\u0661\u0667" + "\u0660" * 8},
    ],
    ids=range(21),
)
def test_what_is_changed_does_not_verify(changed):
    """A later time, another id, another body, another's signature, none: the signature covers all three."""
    assert verify(**changed) is not None

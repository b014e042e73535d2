"""What is kept of a key's secret, and what a key is looked up by: BLAKE2b, keyed where the operator has a pepper.

A secret that was made here has 256 random bits: nobody guesses it from its hash, with or without a pepper. The pepper
is for keys that somebody thought up: without it their hashes can be tried against words.
"""

import hashlib
import re

# As a tenant's file holds a hash.
HASH = re.compile(r"blake2b:[0-9a-f]{64}")
_SCHEME = "blake2b:"


def digest(secret: str, pepper: str | None = None) -> bytes:
    """The hash of a secret, 32 bytes. Source of the keyed form: RFC 7693, section 2.9."""
    # A pepper may be longer than the 64 bytes that BLAKE2b takes.
    key = b"" if pepper is None else hashlib.blake2b(pepper.encode()).digest()
    return hashlib.blake2b(secret.encode("utf-8", "surrogatepass"), digest_size=32, key=key).digest()


def key_hash(secret: str, pepper: str | None = None) -> str:
    """The hash of a secret as a tenant's `api_key_hashes` hold it."""
    return f"{_SCHEME}{digest(secret, pepper).hex()}"


def digest_of(text: str) -> bytes:
    """The hash in what `key_hash` wrote."""
    return bytes.fromhex(text.removeprefix(_SCHEME))


def file_key_id(hashed: bytes) -> str:
    """The id of a key of a tenant's file: it follows from the hash, and does not tell the secret."""
    return f"key_{hashed.hex()[:24]}"

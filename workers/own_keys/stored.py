"""A tenant's provider key as it is stored: sealed, with what may be shown of it beside it."""

import json
from dataclasses import dataclass

# How much of a key is shown, and of how long a one anything is.
_SHOWN, _LEAST = 4, 12


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One stored key. `version` is the number of the change that stored it, `set_at` Unix seconds.

    One that cannot be read has nothing in `sealed`: there is a key, and it opens nowhere.
    """

    version: int
    sealed: str
    last4: str
    set_at: int
    fallback_to_shared: bool

    @classmethod
    def parse(cls, value: bytes) -> "StoredKey":
        """Read a field of the hash of keys: own_key.lua puts the version before what `words` wrote."""
        version, _, words = value.partition(b" ")
        try:
            kept = json.loads(words)
            return cls(int(version), kept["sealed"], kept["last4"], kept["set_at"], kept["fallback_to_shared"])
        except (ValueError, KeyError, TypeError):
            return cls(0, "", "", 0, fallback_to_shared=False)

    @property
    def text(self) -> str:
        """As it is kept."""
        return f"{self.version} {self.words}"

    @property
    def words(self) -> str:
        """As it is kept, without its version."""
        return json.dumps(
            {
                "sealed": self.sealed,
                "last4": self.last4,
                "set_at": self.set_at,
                "fallback_to_shared": self.fallback_to_shared,
            }
        )


def last_of(secret: str) -> str:
    """What is shown of a key: its last four characters, and nothing of a short one."""
    return secret[-_SHOWN:] if len(secret) >= _LEAST else ""

"""The secrets of one receiver: the one in force, and those before it that are valid for a while yet. Pure."""

from dataclasses import dataclass

from workers.signature import sign

# With each one more a signature is sent; who rotates more often than this within the grace time loses the oldest.
MAX_PREVIOUS = 3


@dataclass(frozen=True, slots=True)
class Keyring:
    """Secrets in Standard Webhooks' form (`whsec_...`); `previous` newest first, each with its end in Unix ms."""

    current: str
    previous: tuple[tuple[str, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """Read what `text` wrote."""
        current, *older = text.split(" ")
        pairs = (word.rpartition(":") for word in older)
        return cls(current, tuple((secret, int(until)) for secret, _, until in pairs))

    @property
    def text(self) -> str:
        """As it is kept: the secret in force, then `secret:end` of each before it."""
        return " ".join((self.current, *(f"{secret}:{until}" for secret, until in self.previous)))

    def valid(self, now_ms: int) -> "Keyring":
        """Without those whose time is over."""
        return Keyring(self.current, tuple(pair for pair in self.previous if pair[1] > now_ms))

    def rotated(self, fresh: str, now_ms: int, grace_ms: int) -> "Keyring":
        """With `fresh` in force; those before it are valid for `grace_ms` more at most, so that 0 revokes them all."""
        end = now_ms + grace_ms
        older = ((self.current, end), *((secret, min(until, end)) for secret, until in self.previous))
        return Keyring(fresh, older[:MAX_PREVIOUS]).valid(now_ms)

    def signatures(self, message_id: str, now_ms: int, body: bytes) -> str:
        """The `webhook-signature` header, one signature for each valid secret, with blanks between them."""
        valid = self.valid(now_ms)
        secrets = (valid.current, *(secret for secret, _ in valid.previous))
        return " ".join(sign(secret, message_id, now_ms // 1000, body) for secret in secrets)

"""What a check of a provider account found, as the ledger's script wrote it. Pure; workers/checks.py makes them."""

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """How a check ended."""

    # The account's host answered, and did not refuse its key.
    OK = "ok"
    FAILED = "failed"
    # The key, the right or the bill is ours to mend: waiting does not help.
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class Check:
    """The last check of an account. `failures` are those in a row, this one included; `at_s` is Unix seconds."""

    status: CheckStatus
    at_s: float
    latency_ms: float
    failures: int = 0
    error: str = ""

    @classmethod
    def parse(cls, text: str) -> "Check | None":
        """A field of the ledger's hash of checks, `status at_ms latency_ms failures error`; None where malformed."""
        try:
            status, at_ms, latency_ms, failures, error = text.split(" ", 4)
            return cls(CheckStatus(status), int(at_ms) / 1000, float(latency_ms), int(failures), error)
        except ValueError:
            return None

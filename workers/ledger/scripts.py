"""The ledger's atomic steps: one Lua file each, rendered with the constants they share."""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path

FOLDER = Path(__file__).parent
FILES = tuple(f"file_{step}" for step in ("reserve", "adopt", "read", "page", "hide", "due", "forget"))
NAMES = (
    *("submit", "claim", "heartbeat", "finish", "requeue", "cancel", "attach", "rescue", "delivery", "ended"),
    *(
        "batch_create",
        "batch_take",
        "batch_look",
        "batch_feed",
        "batch_stored",
        "batch_mark",
        "batch_drop",
        "batch_age",
        "batch_end",
    ),
    "own_key",
    *("batch_cancel", "batch_release"),
    *FILES,
    *("room", "release", "switch", "check", "hedge", "relay", "follow", "settle", "forget", "list", "standing"),
    *("usage_read", "usage_look", "usage_records", "usage_fix"),
    *("fan_out", "begin", "deliveries", "redeliver", "postpone", "swap", "access"),
)
# What stands in front of a script beside shared.lua, where it is needed: Redis runs all of it at each call.
PARTS = {
    "standing": ("budget", "limits", "reserve"),
    "submit": ("budget", "limits", "reserve"),
    "cancel": ("budget", "limits", "usage"),
    "rescue": ("budget", "limits", "usage"),
    "forget": ("usage", "usage_gone"),
    "usage_fix": ("usage",),
    "claim": ("breaker", "permit", "way"),
    "finish": ("budget", "limits", "breaker", "evidence", "permit", "usage", "frames"),
    "relay": ("frames",),
    "settle": ("budget", "limits", "breaker", "evidence", "permit", "usage"),
    "requeue": ("budget", "limits", "breaker", "evidence", "permit", "way", "usage"),
    "room": ("budget", "limits", "breaker", "evidence", "permit", "way", "usage"),
    "hedge": ("breaker", "permit", "way"),
    "release": ("permit",),
    "switch": ("breaker",),
    "check": ("breaker",),
    **dict.fromkeys(
        ("batch_look", "batch_mark", "batch_end", "batch_release"),
        ("batch_held",),
    ),
    "batch_feed": ("batch_held", "budget", "limits", "reserve", "usage"),
    "batch_drop": ("batch_held", "budget", "limits", "usage"),
    "batch_age": ("batch_held", "permit"),
    "batch_stored": ("batch_held", "usage", "usage_gone"),
    **dict.fromkeys(FILES, ("files",)),
    **dict.fromkeys(("fan_out", "begin", "delivery", "deliveries", "redeliver"), ("lane",)),
}


@dataclass(frozen=True, slots=True)
class Script:
    """A script as Redis knows it: its text, and the SHA-1 it is called by."""

    name: str
    text: str
    sha: str


@dataclass(frozen=True, slots=True)
class Constants:
    """What is the same in every call of a process; rendered into the scripts instead of sent each time."""

    prefix: str
    lease_ms: int
    requeue_check_ms: int
    retention_s: int
    # How long after its delivery an answer stays that was not to be stored.
    unstored_ms: int
    # How many failed or expired jobs of a tenant can be listed as such.
    failures_kept: int
    envelope: str
    # In front of a provider's name: its queue.
    provider_queue: str

    def render(self, text: str) -> str:
        """Fill in the @...@ blanks of shared.lua."""
        for field in fields(self):
            text = text.replace(f"@{field.name.upper()}@", str(getattr(self, field.name)))
        return text


def load(constants: Constants) -> dict[str, Script]:
    """Every script by name."""
    shared = constants.render(_read("shared"))
    scripts = {}
    for name in NAMES:
        # Redis wants the shebang, which holds the script's flags, on the first line.
        shebang, _, rest = _read(name).partition("\n")
        text = "\n".join((shebang, shared, *map(_read, PARTS.get(name, ())), rest))
        scripts[name] = Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
    return scripts


def _read(name: str) -> str:
    return (FOLDER / f"{name}.lua").read_text()

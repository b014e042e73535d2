"""Health as the ledger would have recorded it, in short."""

from routing.health import Health
from routing.speed import UNKNOWN, Speed


def recorded(good=5, bad=0, ms=100.0, *, now=1_700_000_000.0, tokens=256, last_s=None):
    """So many good calls that took `ms` for `tokens` tokens each, and so many failures since, all at `now`."""
    speed = UNKNOWN
    if good:
        speed = Speed(good, tokens * good, tokens**2 * good, ms * good, ms**2 * good, tokens * ms * good, now)
    return Health(good + bad, good, bad, now if last_s is None else last_s, speed)

"""Times and amounts as messages to callers tell them."""

_DAY_S = 86_400


def spoken(seconds: float) -> str:
    """A time to wait: 13.2 s, 5 h 10 min, 3 d 4 h."""
    if seconds <= 120:
        return f"{seconds:.1f} s"
    if seconds < _DAY_S:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"
    return f"{int(seconds // _DAY_S)} d {int(seconds % _DAY_S // 3600)} h"


def dollars(microusd: int) -> str:
    """An amount of USD with the digits it has: 10, 0.25, 0.000012."""
    return f"{microusd / 1e6:.6f}".rstrip("0").rstrip(".")

"""Vectors for embedding requests: of length one, the same for the same text, and without meaning."""

import base64
import hashlib
import math
import struct


def vector(text: str, size: int) -> list[float]:
    """`size` numbers that depend on the whole text."""
    digest = hashlib.shake_128(text.encode("utf-8", "surrogatepass")).digest(size)
    raw = [byte - 127.5 for byte in digest]
    length = math.sqrt(sum(value * value for value in raw))
    return [round(value / length, 7) for value in raw]


def written(values: list[float], *, encoded: bool) -> list[float] | str:
    """The vector as JSON numbers, or as the base64 of 32-bit floats (little-endian)."""
    if not encoded:
        return values
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()

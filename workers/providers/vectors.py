"""The vectors of an answer as OpenAI writes them: numbers, or base64 of 32-bit floats (little-endian). Pure."""

import base64
import binascii
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from routing.errors import MalformedAnswer, NotExpressible
from routing.job import Usage
from routing.request import input_tokens
from workers.providers.base import Completion

_FLOAT_BYTES = 4
_NUMBERS = frozenset({int, float})


def completion_of(
    vectors: Sequence[Any], prompt_tokens: int, request: Mapping[str, Any], extras: Mapping[str, Any]
) -> Completion:
    """OpenAI's list of `vectors` (numbers or base64, in the order of the inputs), encoded as `request` asks.

    `extras` are the answer's other fields, its `model` among them; 0 tokens are not known and estimated. Raises
    MalformedAnswer where a vector is none or there are not as many as inputs; NotExpressible where they are not as
    long as was asked.
    """
    estimates = input_tokens(request.get("input"))
    if len(vectors) != len(estimates):
        raise MalformedAnswer(f"the answer has {len(vectors)} vectors for {len(estimates)} inputs")
    encoded = request.get("encoding_format") == "base64"
    written = [_encoded(vector) if encoded else _numbers(vector) for vector in vectors]
    sizes = {len(vector) for vector in written}
    if len(sizes) != 1:
        raise MalformedAnswer("the answer's vectors are not of one length")
    _check_size(next(iter(sizes)), request.get("dimensions"), encoded=encoded)
    tokens = prompt_tokens or sum(estimates)
    body = {
        **extras,
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(written)],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    return Completion(body, Usage(prompt_tokens=tokens))


def normalised(vector: Any) -> Any:
    """The vector at length one; as it is where it is not all numbers, which is told later, or zero."""
    try:
        # Brought near one first: the length of numbers that are next to nothing is not exact.
        largest = max(map(abs, vector), default=0.0)
        scaled = [value / largest for value in vector] if 0 < largest < math.inf else []
        length = math.hypot(*scaled)
        return [value / length for value in scaled] if scaled else vector
    except (TypeError, OverflowError):
        return vector


def _encoded(vector: Any) -> str:
    """As base64; what is base64 already is not opened."""
    if isinstance(vector, str):
        if not vector or len(vector) % 4 or not vector.isascii():
            raise MalformedAnswer("a vector of the answer is not base64")
        return vector
    numbers = _numbers(vector)
    try:
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode("ascii")
    except (struct.error, OverflowError) as error:
        raise MalformedAnswer("a vector of the answer is beyond 32-bit floats") from error


def _numbers(vector: Any) -> list[float]:
    """As finite numbers."""
    if isinstance(vector, str):
        vector = _decoded(vector)
    if not isinstance(vector, list) or not vector or not _NUMBERS.issuperset(map(type, vector)):
        raise MalformedAnswer("a vector of the answer is not a list of numbers")
    try:
        finite = math.isfinite(sum(vector)) or all(map(math.isfinite, vector))
    except OverflowError:
        finite = False
    if not finite:
        raise MalformedAnswer("a vector of the answer has a number that is not finite")
    return vector


def _decoded(vector: str) -> list[float]:
    try:
        raw = base64.b64decode(vector, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedAnswer("a vector of the answer is not base64") from error
    if len(raw) % _FLOAT_BYTES:
        raise MalformedAnswer("a vector of the answer is not 32-bit floats")
    return list(struct.unpack(f"<{len(raw) // _FLOAT_BYTES}f", raw))


def _check_size(size: int, wanted: Any, *, encoded: bool) -> None:
    """Some vendors ignore `dimensions`: a vector of another length is not what was asked for."""
    if wanted is None:
        return
    expected = -(-wanted * _FLOAT_BYTES // 3) * 4 if encoded else wanted
    if size != expected:
        raise NotExpressible(f"the model's vectors cannot have {wanted} dimensions here", param="dimensions")

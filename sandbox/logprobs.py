"""Log probabilities of an answer's tokens: made up, the same for the same text, and in each vendor's own form."""

import math
import zlib
from typing import Any

from sandbox import tokens

# How much likelier a token is than the next in the list of those that might have stood there.
_STEP = 0.5


def openai_steps(text: str, top: int) -> list[dict[str, Any]]:
    """The tokens of `text`, each with the `top` likeliest in its place, as OpenAI tells them."""
    split = tokens.split(text)
    return [_openai(token, _place(token)) | {"top_logprobs": _tops(token, top)} for token in split]


def gemini_result(text: str, top: int) -> dict[str, Any]:
    """The same as Gemini's `logprobsResult`."""
    return {
        "chosenCandidates": [_gemini(token, _place(token)) for token in tokens.split(text)],
        "topCandidates": [
            {"candidates": [_gemini(other, rank) for rank, other in enumerate(_others(token, top))]}
            for token in tokens.split(text)
        ],
    }


def _place(token: str) -> int:
    """How many were likelier than the token itself: not the same of all, and always the same of one."""
    return zlib.crc32(token.encode()) % 4


def _others(token: str, top: int) -> list[str]:
    return [token, *(f"{token}{rank}" for rank in range(1, top))][:top]


def _tops(token: str, top: int) -> list[dict[str, Any]]:
    return [_openai(other, rank) for rank, other in enumerate(_others(token, top))]


def _openai(token: str, place: int) -> dict[str, Any]:
    return {"token": token, "logprob": _logprob(place), "bytes": list(token.encode())}


def _gemini(token: str, place: int) -> dict[str, Any]:
    return {"token": token, "tokenId": 1000 + place, "logProbability": _logprob(place)}


def _logprob(place: int) -> float:
    return round(math.log(0.9) - _STEP * place, 6)

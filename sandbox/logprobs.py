"""Log probabilities of an answer's tokens: made up, the same for the same text, and in each vendor's own form."""

import math
from typing import Any

from sandbox import tokens

# How much likelier a token is than the next in the list of those that might have stood there.
_STEP = 0.5


def openai_steps(text: str, top: int) -> list[dict[str, Any]]:
    """The tokens of `text`, each with the `top` likeliest in its place, as OpenAI tells them."""
    return [_openai(token, place) | {"top_logprobs": _tops(token, top)} for place, token in _numbered(text)]


def gemini_result(text: str, top: int) -> dict[str, Any]:
    """The same as Gemini's `logprobsResult`."""
    return {
        "chosenCandidates": [_gemini(token, 0, place) for place, token in _numbered(text)],
        "topCandidates": [
            {"candidates": [_gemini(other, rank, 0) for rank, other in enumerate(_others(token, top))]}
            for token in tokens.split(text)
        ],
    }


def _numbered(text: str) -> list[tuple[int, str]]:
    """The tokens with their place in a round of four: they are not all as likely as each other."""
    return [(number % 4, token) for number, token in enumerate(tokens.split(text))]


def _others(token: str, top: int) -> list[str]:
    return [token, *(f"{token}{rank}" for rank in range(1, top))][:top]


def _tops(token: str, top: int) -> list[dict[str, Any]]:
    return [_openai(other, rank) for rank, other in enumerate(_others(token, top))]


def _openai(token: str, place: int) -> dict[str, Any]:
    return {"token": token, "logprob": _logprob(place), "bytes": list(token.encode())}


def _gemini(token: str, rank: int, place: int) -> dict[str, Any]:
    return {"token": token, "tokenId": 1000 + rank, "logProbability": _logprob(rank + place)}


def _logprob(place: int) -> float:
    return round(math.log(0.9) - _STEP * place, 6)

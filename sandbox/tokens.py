"""The sandbox's token rule: four characters are one token. It is stated, exact and no vendor's."""

CHARACTERS = 4
# What one image adds to a prompt.
IMAGE_TOKENS = 85


def count(text: str) -> int:
    """Tokens in `text`; the last may be short."""
    return -(-len(text) // CHARACTERS)


def split(text: str) -> list[str]:
    """The text's tokens, in order; joined they are the text."""
    return [text[start : start + CHARACTERS] for start in range(0, len(text), CHARACTERS)]


def truncate(text: str, tokens: int) -> str:
    """The first `tokens` tokens of the text."""
    return text[: max(tokens, 0) * CHARACTERS]

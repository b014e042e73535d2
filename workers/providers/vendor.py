"""What single OpenAI-compatible vendors differ in, as data, by the host of their endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor's ways. The default suits a vendor that refuses what it does not know."""

    # The one name it knows for the ceiling of an answer's tokens; None: both, sent as asked.
    length_field: str | None = None
    # Fields of an assistant message, beyond OpenAI's own, that it wants back in the history.
    echoed: frozenset[str] = frozenset()
    # Whether it takes `stream_options`; one that does not tells the usage of every stream unasked.
    stream_options: bool = True
    # Its name for the length of an embedding.
    dimensions_field: str = "dimensions"


DEFAULT_VENDOR = Vendor()

VENDORS: Mapping[str, Vendor] = {
    # Its reasoning models refuse max_tokens.
    "api.openai.com": Vendor(length_field="max_completion_tokens"),
    # It refuses fields it does not know.
    "api.mistral.ai": Vendor(
        length_field="max_tokens",
        echoed=frozenset({"prefix"}),
        stream_options=False,
        dimensions_field="output_dimension",
    ),
    # It wants its own reasoning back while a tool loop lasts.
    "api.deepseek.com": Vendor(length_field="max_tokens", echoed=frozenset({"reasoning_content", "prefix"})),
    "api.together.xyz": Vendor(length_field="max_tokens"),
    "openrouter.ai": Vendor(echoed=frozenset({"reasoning_details", "images"})),
    # Google's OpenAI endpoint carries thought signatures in extra_content.
    "generativelanguage.googleapis.com": Vendor(echoed=frozenset({"extra_content"})),
}


def vendor_at(host: str | None) -> Vendor:
    """The vendor behind `host`; the default where it is not one with ways of its own."""
    return VENDORS.get((host or "").lower(), DEFAULT_VENDOR)

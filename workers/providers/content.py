"""What a chat message holds, read from OpenAI's form into typed parts for the native dialects."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_to_bytes

from workers.providers.reader import items, mapping, text
from workers.providers.rules import inexpressible

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[^;,]*)*?)(;base64)?,(.*)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Text:
    """Words."""

    text: str
    # Anthropic's cache mark on a part; other dialects pass it over.
    mark: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Inline:
    """A file within the request: base64 `data` of `media_type`."""

    media_type: str
    data: str
    mark: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """A picture the provider fetches itself."""

    url: str
    mark: dict[str, Any] | None = None


Part = Text | Inline | Linked


def parts_of(message: Mapping[str, Any], where: str) -> list[Part]:
    """The parts of `message.content`, empty text left out (the native APIs refuse it).

    Raises NotExpressible for a part that is neither text, picture, sound nor an embedded file.
    """
    content = message.get("content")
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)] if content else []
    parts = [_marked(mapping(part), f"{where}.content[{index}]") for index, part in enumerate(items(content))]
    return [part for part in parts if not isinstance(part, Text) or part.text]


def words_of(message: Mapping[str, Any], where: str) -> str:
    """The text of `message.content`; NotExpressible where it holds anything else."""
    parts = parts_of(message, where)
    words = [part.text for part in parts if isinstance(part, Text)]
    if len(words) != len(parts):
        raise inexpressible(f"{where}.content", f"a {message.get('role')} message holds text only")
    return "\n".join(words)


def _marked(part: dict[str, Any], where: str) -> Part:
    mark = mapping(part.get("cache_control"))
    return replace(_part(part, where), mark=mark) if mark else _part(part, where)


def _part(part: dict[str, Any], where: str) -> Part:
    kind = part.get("type")
    if kind in ("text", "refusal"):
        return Text(text(part.get(kind)))
    if kind == "image_url":
        return _image(text(mapping(part.get("image_url")).get("url")), where)
    if kind == "input_audio":
        audio = mapping(part.get("input_audio"))
        return Inline(f"audio/{text(audio.get('format')) or 'wav'}", text(audio.get("data")))
    if kind == "file":
        embedded = _data_url(text(mapping(part.get("file")).get("file_data")))
        if embedded is None:
            raise inexpressible(where, "a file must be embedded, as a data URL in file_data")
        return embedded
    raise inexpressible(where, f"a part of type {kind!r} is not known")


def _image(url: str, where: str) -> Part:
    if url.lower().startswith(("http://", "https://")):
        return Linked(url)
    embedded = _data_url(url)
    if embedded is None:
        raise inexpressible(where, "an image is a data URL, or an http(s) one")
    return embedded


def _data_url(url: str) -> Inline | None:
    """The content of a data URL (RFC 2397); None where `url` is none."""
    found = _DATA_URL.fullmatch(url)
    if found is None:
        return None
    media_type, _, is_base64, data = found.groups()
    if not is_base64:
        data = base64.b64encode(unquote_to_bytes(data.encode("utf-8", "replace"))).decode("ascii")
    return Inline((media_type or "text/plain").lower(), data)

"""The API's document as one page of plain HTML: no script, nothing from elsewhere, made once."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

_FOLDER = Path(__file__).parent
_CODE = re.compile(r"`([^`]+)`")
_BOUNDS = {
    "minimum": "from",
    "exclusiveMinimum": "above",
    "maximum": "to",
    "minLength": "at least",
    "maxLength": "at most",
    "minItems": "at least",
    "maxItems": "at most",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and the Content-Security-Policy under which it shows all that it has and nothing else."""

    html: str
    policy: str


def page(document: Mapping[str, Any]) -> Page:
    """`document` to be read by people."""
    # A stylesheet that is named by its hash needs no address of its own.
    style = (_FOLDER / "page.css").read_text()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(prose=prose, bounds=bounds, pretty=pretty)
    template = environment.get_template("page.html")
    shown = template.render(document=document, tags=by_tag(document), style=Markup(style))  # noqa: S704 - our own file
    allowed = ("img-src data:", f"style-src 'sha256-{digest}'")
    refused = [f"{what} 'none'" for what in ("default-src", "base-uri", "form-action", "frame-ancestors")]
    return Page(shown, "; ".join((*refused, *allowed)))


def by_tag(document: Mapping[str, Any]) -> dict[str, list[tuple[str, str, Mapping[str, Any]]]]:
    """Path, method and operation of each route under its tag, both in the order of their names."""
    tags: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tags.setdefault(operation["tags"][0], []).append((path, method, operation))
    return dict(sorted(tags.items()))


def prose(text: str) -> Markup:
    """Words with `code` in them; an empty line begins a paragraph."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))).replace("\n\n", "</p><p>"))  # noqa: S704 - escaped first


def bounds(schema: Mapping[str, Any]) -> str:
    """The limits of a value, in words."""
    told = [f"{word} {schema[name]}" for name, word in _BOUNDS.items() if name in schema]
    return ", ".join([*told, f"like {schema['pattern']}"] if "pattern" in schema else told)


def pretty(value: Any) -> str:
    """JSON to be read."""
    return json.dumps(value, indent=2, ensure_ascii=False)

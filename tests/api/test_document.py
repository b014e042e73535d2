"""The API's document: every route stands in it, and what it says can be read by machines."""

import re
from html.parser import HTMLParser

import jsonschema_rs
import pytest

from api.app import create_app
from api.openapi.document import routes
from api.openapi.operation import operation_of
from api.openapi.page import prose
from tests.support.services import bare_services

ERROR = "#/components/schemas/ErrorAnswer"
ANTHROPIC_ERROR = "#/components/schemas/AnthropicErrorAnswer"


def operations(document):
    """Each operation with its name."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def inside(value):
    """Every object of a JSON value."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from inside(item)
    elif isinstance(value, list):
        for item in value:
            yield from inside(item)


def test_every_route_is_documented(app):
    """A route without @documented is found here."""
    missing = [f"{method} {path}" for path, method, view in routes(app) if operation_of(view) is None]
    assert not missing


def test_nothing_else_is_documented(app, document):
    """The document has the routes of the application, and each under its own name."""
    assert {name for name, _ in operations(document)} == {f"{method} {path}" for path, method, _ in routes(app)}
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_a_path_has_the_parameters_it_is_written_with(document):
    """What stands in braces is described, and the other way round."""
    for name, operation in operations(document):
        told = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert told == set(re.findall(r"{(\w+)}", name)), name


def test_errors_have_openais_form(document):
    """From 400 on answers are an ErrorAnswer, or Anthropic's where its clients ask; only health answers otherwise."""
    for name, operation in operations(document):
        wanted = ANTHROPIC_ERROR if name.startswith("post /v1/messages") else ERROR
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and name not in ("get /health", "get /readyz"):
                assert answer["content"]["application/json"]["schema"]["$ref"] == wanted, (name, status)


def test_a_route_with_a_key_may_refuse_it(document):
    """401 is documented exactly where a key is needed."""
    for name, operation in operations(document):
        assert bool(operation["security"]) == ("401" in operation["responses"]), name


def test_references_lead_somewhere(document):
    """Each $ref names a schema of the document, and each schema is used."""
    used = {found["$ref"] for found in inside(document) if "$ref" in found}
    assert used == {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def test_schemas_are_json_schema(document):
    """Every schema is one of JSON Schema 2020-12, which OpenAPI 3.1 uses."""
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}), name


def test_every_field_of_a_request_says_what_it_takes(document):
    """A custom field without `json_schema` is found here: it would be documented as anything at all."""
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Request"):
            for field, told in schema["properties"].items():
                assert {"type", "anyOf", "enum", "$ref"} & told.keys(), f"{name}.{field}"


def test_examples_are_what_their_routes_take(document):
    """The example of a body is one."""
    for name, operation in operations(document):
        if "requestBody" in operation:
            [media] = operation["requestBody"]["content"].values()
            schema = {**media["schema"], "components": document["components"]}
            assert jsonschema_rs.is_valid(schema, media["example"]), name


def test_the_document_is_the_same_every_time(app):
    """Two processes make the same bytes, so that an ETag holds for both; who has them is not sent them again."""
    first = app.test_client().get("/openapi.json")
    other = create_app(bare_services()).test_client()
    assert other.get("/openapi.json").data == first.data
    again = other.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


class Reader(HTMLParser):
    """What a page refers to, and what in it can be referred to."""

    def __init__(self, html):
        super().__init__()
        self.links, self.ids, self.tags = set(), [], set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links |= {given[name] for name in ("href", "src", "action") if name in given}


@pytest.fixture(scope="module")
def page(app):
    """GET /docs."""
    return app.test_client().get("/docs")


def test_the_page_needs_nothing_from_elsewhere(page):
    """No script, no frame, no other host: all links stay on the page, but for the document itself."""
    reader = Reader(page.text)
    assert not reader.tags & {"script", "iframe", "img", "object", "form"}
    assert {link for link in reader.links if not link.startswith("#")} == {"openapi.json", "data:,"}
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "http" not in re.search(r"<style>(.*)</style>", page.text, re.DOTALL)[1]


def test_the_page_links_lead_to_its_sections(page, document):
    """Every route and every schema has a section, and every link leads to one of them."""
    reader = Reader(page.text)
    assert len(reader.ids) == len(set(reader.ids))
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)
    names = {operation["operationId"] for _, operation in operations(document)}
    assert names | set(document["components"]["schemas"]) <= set(reader.ids)


def test_words_are_escaped():
    """Text of the document is text on the page, and code in it is marked."""
    assert prose("<script> of `a<b>`") == "&lt;script&gt; of <code>a&lt;b&gt;</code>"

"""Reading a form with one file: however it is cut, and whatever is wrong with it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.multipart import boundary_of
from api.upload_form import read_form
from routing.errors import BodyTooLarge, InvalidRequest, UnsupportedContentType

BOUNDARY = b"frontier"


def part(name, value, filename=None, *, disposition=None):
    """One part of a form."""
    said = disposition or b'form-data; name="%s"' % name + (b'; filename="%s"' % filename if filename else b"")
    return b"--frontier\r\nContent-Disposition: " + said + b"\r\n\r\n" + value + b"\r\n"


def form(*parts):
    return b"".join(parts) + b"--frontier--\r\n"


def cut(body, places):
    """The body in pieces, cut at `places`."""
    ends = sorted({place % (len(body) + 1) for place in places} | {len(body)})
    return [body[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def read(body, most_bytes=10**9, pieces=None):
    """The form, and what its file held."""
    given = []
    found = read_form(iter(pieces or cut(body, range(0, len(body), 65_536))), BOUNDARY, given.append, most_bytes)
    return found, b"".join(given)


# Bytes that look like the end of a part, and do not end it.
TRICKY = (
    st.lists(
        st.sampled_from(
            [b"\r", b"\n", b"\r\n", b"-", b"--", b"\r\n--", b"\r\n--frontie", b"--frontier", b"x", b"\0\xff"]
        )
    )
    .map(b"".join)
    .filter(lambda data: data and b"\r\n--frontier" not in data)
)


@given(data=TRICKY, places=st.lists(st.integers(0, 400)), first=st.booleans())
def test_a_form_is_read_however_it_is_cut(data, places, first):
    """The same fields and the same bytes, whichever pieces the network makes of the body, and in any order of parts."""
    parts = [part(b"purpose", b"batch"), part(b"file", data, b"a.jsonl")]
    body = form(*(parts if first else parts[::-1]))
    found, given_bytes = read(body, pieces=cut(body, places))
    assert given_bytes == data
    assert (found.fields, found.filename, found.bytes) == ({"purpose": "batch"}, "a.jsonl", len(data))


@given(body=st.binary(max_size=200), places=st.lists(st.integers(0, 200)), places_kept=st.integers(0, 400))
def test_junk_is_refused_by_name(body, places, places_kept):
    """Any bytes, and any beginning of a sound form, are a form or an error of the caller's; nothing else is raised."""
    sound = form(part(b"file", body or b"x", b"a"))[:places_kept]
    for junk in (body, sound, sound + body):
        with contextlib.suppress(InvalidRequest):
            read(junk, pieces=cut(junk, places))


FILE = part(b"file", b"line", b"a.jsonl")


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        (b"", None, "breaks off"),
        (form(), "file", "missing"),
        (form(part(b"purpose", b"batch")), "file", "missing"),
        (form(FILE, FILE), "file", "twice"),
        (form(part(b"purpose", b"a"), part(b"purpose", b"b"), FILE), "purpose", "twice"),
        (form(part(b"file", b"", b"a.jsonl")), "file", "empty"),
        (form(part(b"file", b"line")), "file", "as text"),
        (form(part(b"purpose", b"batch", b"p"), FILE), "purpose", "as a file"),
        (form(FILE)[:-4], None, "breaks off"),
        (form(FILE)[:-20], None, "breaks off"),
        (form(FILE)[:40], None, "breaks off"),
        (form(part(b"purpose", b"\xff\xfe"), FILE), "purpose", "UTF-8"),
        (form(part(b"purpose", b"x" * 3000), FILE), "purpose", "2000 bytes"),
        (form(part(b"n" * 101, b"x"), FILE), None, "name"),
        (form(part(b"n\xff", b"x"), FILE), None, "UTF-8"),
        (form(part(b"", b"x"), FILE), None, "name"),
        (form(part(b"", b"x", disposition=b"form-data"), FILE), None, "name"),
        (form(part(b"", b"x", disposition=b'form-data; filename="a"')), None, "name"),
        (b"--frontier\r\nContent-Type: text/plain\r\n\r\nx\r\n--frontier--", None, "Content-Disposition"),
        (form(part(b"file", b"x", b"a\x01b")), "file", "filename"),
        (form(part(b"file", b"x", b"dir/")), "file", "filename"),
        (form(part(b"file", b"x", b"a" * 256)), "file", "filename"),
        (form(*(part(b"f%d" % n, b"x") for n in range(30)), FILE), None, "20 parts"),
        (b"--frontier\r\nX-Long: " + b"x" * 1_000_000 + b"\r\n\r\n", None, "over 8192 bytes"),
        (b"--frontierX\r\n\r\n\r\n--frontier--", None, "does not end its line"),
        (b"--frontier" + b" " * 1_000_000, None, "does not end its line"),
        (b"x" * 1_000_000, None, "breaks off"),
    ],
)
def test_what_is_wrong_is_told(body, param, said):
    """Each fault has its words, and the field's name where it is a field's."""
    with pytest.raises(InvalidRequest, match=said) as caught:
        read(body)
    assert caught.value.param == param


def test_only_so_much_is_taken():
    """A file that is too large is refused at the first byte too many."""
    assert read(form(part(b"file", b"x" * 1000, b"a")), 1000)[0].bytes == 1000
    with pytest.raises(BodyTooLarge, match="1000 bytes"):
        read(form(part(b"file", b"x" * 1001, b"a")), 1000)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"/home/me/a.jsonl", "a.jsonl"),
        (rb"C:\\me\\a.jsonl", "a.jsonl"),
        ("grüße 漢字.jsonl".encode(), "grüße 漢字.jsonl"),
        (b"..", ".."),
    ],
)
def test_a_filename_is_the_end_of_its_path(sent, kept):
    """Only a name: what a client knows of its own folders is none of the router's business."""
    assert read(form(part(b"file", b"x", sent)))[0].filename == kept


@pytest.mark.parametrize(
    ("content_type", "error"),
    [
        (None, UnsupportedContentType),
        ("application/json", UnsupportedContentType),
        ("application/x-www-form-urlencoded", UnsupportedContentType),
        ("multipart/mixed; boundary=x", UnsupportedContentType),
        ("multipart/form-data", InvalidRequest),
        ("multipart/form-data; boundary=", InvalidRequest),
        ("multipart/form-data; boundary=" + "x" * 71, InvalidRequest),
        ("multipart/form-data; boundary=ü", InvalidRequest),
    ],
)
def test_another_content_type_is_refused(content_type, error):
    """What is no form, and a form nobody can part."""
    with pytest.raises(error):
        boundary_of(content_type)


def test_a_boundary_may_be_quoted():
    """RFC 2046 has quoted ones."""
    assert boundary_of('multipart/form-data; charset=utf-8; boundary="a b"') == b"a b"

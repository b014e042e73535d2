"""Which URLs are taken for a webhook's receiver."""

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from workers.requests.webhook_url import LONGEST_URL, WebhookUrl


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://example.com:8443/hook?x=1&y=%20",
        "http://127.0.0.1:9/",
        "http://[::1]:8080/",
        "http://my_service/hook",
        "https://example.com?x=@",
        "https://example.com/" + "x" * (LONGEST_URL - 20),
    ],
)
def test_addresses_of_http_are_taken(url):
    """A name, an address, a port, a path, a query."""
    assert WebhookUrl().deserialize(url) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com/", "http or https"),
        ("//example.com/", "http or https"),
        ("http://", "http or https"),
        ("http:///x", "http or https"),
        ("http://example.com:65536/", "http or https"),
        ("http://example.com/#x", "fragment"),
        ("http://example.com/ x", "http or https"),
        ("http://example.com\\@evil.example/", "user name"),
        ("http://exa\nmple.com/", "http or https"),
        ("http://example.com/\n", "http or https"),
        ("http://bücher.example/", "ASCII"),
        ("http://user@example.com/", "user name"),
        ("http://user:word@example.com/", "user name"),
        ("http://example.com/" + "x" * LONGEST_URL, "at most"),
        (5, "string"),
    ],
)
def test_others_are_refused_in_words(url, why):
    """Another scheme, no host, a user name, a fragment, too long a one."""
    with pytest.raises(ValidationError, match=why):
        WebhookUrl().deserialize(url)


@given(st.from_regex(r"https?://[ -~]{1,40}", fullmatch=True))
def test_what_is_taken_has_one_host_for_everybody(url):
    """A URL that is taken has no user in it, by the reading of the library that sends."""
    try:
        WebhookUrl().deserialize(url)
    except ValidationError:
        return
    try:
        prepared = requests.Request("POST", url).prepare()
    except requests.exceptions.InvalidURL:
        return
    parts = requests.utils.urlparse(prepared.url)
    assert parts.username is None
    assert url.split("://")[1].lower().startswith(parts.hostname) or "[" in url

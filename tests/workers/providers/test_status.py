"""Claims about the table from status and structured code to error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import (
    ContextLengthExceeded,
    KeyRefused,
    MalformedAnswer,
    ProviderError,
    ProviderFailed,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTimeout,
)
from workers.providers.base import Account, Reply
from workers.providers.status import Failure, error_class, provider_error

ACCOUNT = Account(name="groq", endpoint="https://api.groq.com", api_key="gsk_secret")


@pytest.mark.parametrize(
    ("status", "codes", "kind"),
    [
        (400, (), ProviderRefused),
        (400, ("INVALID_ARGUMENT",), ProviderRefused),
        (400, ("context_length_exceeded",), ContextLengthExceeded),
        (400, ("API_KEY_INVALID", "INVALID_ARGUMENT"), KeyRefused),
        (400, ("model_decommissioned",), ProviderMisconfigured),
        (400, ("tool_use_failed",), MalformedAnswer),
        (401, (), KeyRefused),
        (402, (), KeyRefused),
        (403, (), KeyRefused),
        (404, ("context_length_exceeded",), ProviderMisconfigured),
        (408, (), ProviderTimeout),
        (413, ("rate_limit_exceeded",), ContextLengthExceeded),
        (422, (), ProviderRefused),
        (429, ("rate_limit_error",), ProviderRateLimited),
        (429, ("RESOURCE_EXHAUSTED",), ProviderRateLimited),
        (429, ("insufficient_quota",), KeyRefused),
        (498, ("capacity_exceeded",), ProviderRateLimited),
        (500, (), ProviderFailed),
        (503, ("context_length_exceeded",), ProviderFailed),
        (529, ("overloaded_error",), ProviderFailed),
        (301, (), ProviderMisconfigured),
    ],
)
def test_table(status, codes, kind):
    """Status decides and a structured code refines it."""
    assert error_class(status, codes) is kind


@given(st.integers(300, 999), st.lists(st.text(), max_size=3))
def test_every_status(status, codes):
    """Every status that is not 2xx stands for a provider's error."""
    assert issubclass(error_class(status, tuple(codes)), ProviderError)


def test_words_of_a_refusal_are_the_providers():
    """A refusal carries the provider's own words and field, as the caller will read them."""
    failure = Failure("'temperature' must be at most 2", ("invalid_request_error",), "temperature")
    error = provider_error(ACCOUNT, Reply(400, {}, b""), failure)
    assert (type(error), error.message, error.param) == (ProviderRefused, failure.message, "temperature")
    assert error.upstream_status == 400


def test_words_of_any_other_error_say_who_answered_what():
    """An error that is not the caller's names the provider and its status, and never repeats the key."""
    failure = Failure("Incorrect API key provided: gsk_secret", ("invalid_api_key",))
    error = provider_error(ACCOUNT, Reply(401, {}, b""), failure)
    assert error.message == "groq answered 401 (invalid_api_key): Incorrect API key provided: [key]"


def test_headers_go_before_the_bodys_hint():
    """A header's wait is taken before the body's, and the body's where there is no header."""
    failure = Failure(retry_after_s=9.0)
    assert provider_error(ACCOUNT, Reply(429, {"retry-after": "3"}, b""), failure).retry_after_s == 3
    assert provider_error(ACCOUNT, Reply(503, {}, b""), failure).retry_after_s == 9

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import MalformedAnswer
from workers.providers.base import json_object


def test_a_byte_order_mark_before_an_answer_is_left_out():
    """One is, as vendors' proxies put it there; a second one is no JSON."""
    assert json_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    with pytest.raises(MalformedAnswer):
        json_object(b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}')


@given(st.binary())
def test_any_bytes_are_an_object_or_a_malformed_answer(data):
    """Whatever comes, also what is no UTF-8, nothing else is raised."""
    with contextlib.suppress(MalformedAnswer):
        assert isinstance(json_object(data), dict)


def test_bytes_that_are_no_utf_8_are_malformed():
    """They are told as such, with the answer's status."""
    with pytest.raises(MalformedAnswer) as refused:
        json_object(b'{"a": "\xff"}', 200)
    assert refused.value.upstream_status == 200

"""Keys made at run time while Redis is away, and after it has come back."""

import pytest

from tests.support.process_node import wait_until
from tests.support.stack import chat

pytestmark = pytest.mark.integration


def status(stack, secret, api):
    """How a request for the list of models, which needs nothing but the key, is answered."""
    headers = {"Authorization": f"Bearer {secret}"}
    return stack.session.get(f"{api.url}/v1/models", headers=headers, timeout=10).status_code


def test_known_keys_outlive_redis(start_stack):
    """While Redis is away known keys and files' keys work, unknown ones get 503 and never 401; then all is as before.

    A process that starts while Redis is away knows only files' keys, and calls no other one unknown.
    """
    stack = start_stack()
    other = stack.another_api()
    late = None
    try:
        secret, revoked = (stack.admin("POST", "/keys", {"tenant_id": "default"}).json() for _ in range(2))
        assert [status(stack, secret["secret"], api) for api in (stack.api, other)] == [200, 200]
        stack.admin("POST", f"/keys/{revoked['id']}/revoke")
        wait_until(lambda: status(stack, revoked["secret"], other) == 401, what="the revocation")
        stack.redis.kill()
        late = stack.another_api()
        strange = "mr-" + "s" * 43
        for api, known in ((stack.api, 200), (other, 200), (late, 503)):
            assert status(stack, secret["secret"], api) == known
            assert status(stack, "ak-demo123", api) == 200
            assert status(stack, strange, api) == 503
            assert status(stack, "no such key", api) == 401
        assert status(stack, revoked["secret"], other) == 401
        answer = stack.post(chat(), headers={"Authorization": f"Bearer {secret['secret']}"})
        assert answer.status_code == 503
        assert stack.admin("POST", "/keys", {"tenant_id": "default"}).status_code == 503
        stack.redis.restart()
        wait_until(lambda: status(stack, strange, late) == 401, what="the book of the late process")
        for api in (stack.api, other, late):
            assert status(stack, secret["secret"], api) == 200
            assert status(stack, revoked["secret"], api) == 401
        fresh = stack.admin("POST", "/keys", {"tenant_id": "default"}, api=late).json()
        assert status(stack, fresh["secret"], other) == 200
        stack.admin("POST", f"/keys/{secret['id']}/revoke", api=other)
        wait_until(lambda: status(stack, secret["secret"], late) == 401, what="a revocation after the outage")
    finally:
        for node in filter(None, (other, late)):
            node.teardown()

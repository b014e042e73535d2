"""Where the admin API answers, and where there is none."""

import pytest

from tests.support.process_node import free_port
from tests.support.stack import ADMIN_KEY, KEY, ApiNode

pytestmark = pytest.mark.integration


@pytest.fixture
def start(stack):
    """Start another API process of the running product with other settings."""
    nodes = []

    def starting(**environment):
        node = ApiNode({**stack.environment, "PORT": str(free_port()), **environment}, "api-other")
        nodes.append(node)
        node.ready()
        return node

    yield starting
    for node in nodes:
        node.teardown()


def asked(stack, port, path="/admin/v1/tenants", key=ADMIN_KEY, **headers):
    """The status of a GET."""
    headers = {"Authorization": f"Bearer {key}", **headers}
    return stack.session.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=20).status_code


def test_a_port_of_its_own(stack, start):
    """The admin API answers there and only there, whatever the Host header says; callers' keys open nothing more."""
    admin_port = free_port()
    node = start(MODEL_ROUTER_ADMIN_PORT=str(admin_port))
    assert asked(stack, admin_port) == 200
    assert asked(stack, admin_port, key=KEY) == 403
    assert asked(stack, node.port) == 404
    assert asked(stack, node.port, Host=f"127.0.0.1:{admin_port}") == 404
    assert asked(stack, node.port, path="/v1/models", key=KEY) == 200


def test_without_an_admin_key_there_is_none(stack, start):
    """Every path of it is a 404, with any key and without."""
    node = start(MODEL_ROUTER_ADMIN_KEY="")
    for key in (ADMIN_KEY, KEY, ""):
        for path in ("/admin/v1/tenants", "/admin/v1/keys/key_x", "/admin"):
            assert asked(stack, node.port, path=path, key=key) == 404

"""What attacks have in common: a running product, and a look at whether it is as it was."""

import time

import pytest

from tests.attacks.things import Things
from tests.support.process_node import free_port, wait_until
from tests.support.stack import ADMIN_KEY, KEY, ApiNode, chat
from tests.support.webhook_receiver import WebhookReceiver


@pytest.fixture
def port(stack):
    """The API's port."""
    return stack.api.port


@pytest.fixture
def unharmed(stack):
    """After the test the product answers, no job was accepted by it, and the API met no error of its own."""
    before, errors = stack.job_count(), stack.api.logs().count('"level": "error"')
    yield stack
    assert stack.job_count() == before
    assert stack.api.logs().count('"level": "error"') == errors
    assert stack.post(chat("Still there?")).status_code == 200


@pytest.fixture(scope="module")
def another_api(running_stack):
    """Start another API process beside the running one, with settings of its own."""
    nodes = []

    def start(**environment):
        node = ApiNode({**running_stack.environment, "PORT": str(free_port()), **environment}, "api-attacked")
        nodes.append(node)
        node.ready()
        return node

    yield start
    for node in nodes:
        node.teardown()


@pytest.fixture
def things(stack):
    """Makes things of the tenant `default`."""
    with WebhookReceiver() as receiver:
        made = Things(stack, receiver.url)
        yield made
        made.drop()


@pytest.fixture(scope="module")
def callers(running_stack):
    """A key of each kind of caller; the matrix goes by these names."""
    keys = {name: made_key(running_stack, name) for name in ("revoked key", "expired key")}
    revoked, expired = keys["revoked key"], keys["expired key"]
    assert running_stack.admin("POST", f"/keys/{revoked['id']}/revoke").status_code == 200
    yield {
        "no key": "",
        "wrong key": "ak-nobody",
        "revoked key": revoked["secret"],
        "expired key": expired["secret"],
        "other tenant": "ak-rival",
        "admin": ADMIN_KEY,
        "tenant": KEY,
    }
    for key in keys.values():
        running_stack.admin("DELETE", f"/keys/{key['id']}")


def made_key(stack, name):
    """A key of the tenant whose things are at stake, with its secret: it worked, or it would be no more than wrong."""
    lasts = {"expires_at": time.time() + 2} if name == "expired key" else {}
    made = stack.admin("POST", "/keys", {"tenant_id": "default", "name": name, **lasts}).json()
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert stack.get("/v1/models", headers=headers).status_code == 200
    if lasts:
        wait_until(lambda: stack.get("/v1/models", headers=headers).status_code == 401, what="its expiry")
    return made

"""What attacks have in common: a running product, and a look at whether it is as it was."""

import pytest

from tests.attacks.things import Things
from tests.support.process_node import free_port
from tests.support.stack import KEY, ApiNode, chat
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


@pytest.fixture
def callers():
    """A key of each kind of caller; the matrix goes by these names."""
    return {"no key": "", "wrong key": "ak-nobody", "other tenant": "ak-rival", "tenant": KEY}

"""The receivers of docs/webhooks.md take what the product sends, and nothing else."""

import json
import re
import shutil
import subprocess
import time

import pytest

from config.settings import PROJECT_ROOT
from workers.signature import new_secret
from workers.webhooks.keyring import Keyring

PAGE = (PROJECT_ROOT / "docs" / "webhooks.md").read_text()
BODY = b'{"type": "webhook.test"}'
OLD, NEW, STRANGE = new_secret(), new_secret(), new_secret()


def example(language):
    [block] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return block


def in_python(secret, headers, body):
    names = {}
    exec(example("python"), names)
    return names["verify"](secret, headers, body)


def in_node(secret, headers, body):
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    given = f"{json.dumps(secret)}, {json.dumps(headers)}, Buffer.from({json.dumps(body.decode())})"
    script = f"{example('js')}\nconsole.log(verify({given}));"
    ran = subprocess.run(["node", "-e", script], capture_output=True, text=True, timeout=30, check=True)
    return json.loads(ran.stdout)


@pytest.mark.parametrize("verify", [in_python, in_node])
def test_the_examples_verify(verify):
    """Both secrets of a rotation are taken; another secret, another body and an old message are not."""
    now_ms = int(time.time() * 1000)
    keyring = Keyring(OLD).rotated(NEW, now_ms, 60_000)

    def headers(at_ms):
        signed = keyring.signatures("msg_1", at_ms, BODY)
        return {"webhook-id": "msg_1", "webhook-timestamp": str(at_ms // 1000), "webhook-signature": signed}

    assert verify(OLD, headers(now_ms), BODY)
    assert verify(NEW, headers(now_ms), BODY)
    assert not verify(STRANGE, headers(now_ms), BODY)
    assert not verify(NEW, headers(now_ms), BODY + b" ")
    assert not verify(NEW, headers(now_ms - 400_000), BODY)

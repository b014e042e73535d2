"""Secrets that are planted wherever one may be, and then searched for in all that the product writes."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from config.settings import PROJECT_ROOT
from tests.support.process_node import wait_until
from tests.support.raw_http import exchange, head
from tests.support.stack import Stack, chat, copy_configuration, dump
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

# What belongs to the operator or to a tenant: nobody is told them, nowhere.
KEYS = {
    "tenant key": "ak-canary-of-a-tenant",
    "open tenant's key": "ak-canary-of-an-open-tenant",
    "provider key": "sk-canary-of-a-provider",
    "second provider's key": "sk-canary-of-another-provider",
    "webhook secret": "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5",
    "Redis password": "canary-of-redis",
    "admin key": "mra-canary-of-the-admin",
    "pepper": "canary-pepper-of-the-hashes",
    "Flower password": "flower:canary-of-flower",
}
# What a caller sends beside its key.
SENT = {
    "wrong key": "ak-canary-that-is-wrong",
    "cookie": "canary-in-a-cookie",
    "header": "canary-in-a-header",
    "query": "canary-in-a-query",
    "broken head": "canary-in-a-broken-head",
}
# What callers say: logged for nobody who has not asked for it.
SAID = {"prompt": "canaryinaprompt", "system": "canaryinasystem", "user": "canaryinauser", "tool": "canary_in_a_tool"}
OPENLY = "canaryofanopentenant"


@dataclass(frozen=True)
class Written:
    """All that the product wrote, by who wrote it; `made` is the secret of a key that was made meanwhile."""

    by: dict[str, str]
    made: str = ""

    def holding(self, secrets):
        """Which of `secrets` stand in what was written, and where."""
        return {(name, who) for name, secret in secrets.items() for who, text in self.by.items() if secret in text}


@pytest.fixture(scope="module")
def product(tmp_path_factory, sandbox_process):
    """The product with canaries for keys, two accounts on the sandbox, and Redis behind a password."""
    folder = tmp_path_factory.mktemp("canaries") / "config"
    copy_configuration(folder)
    for file in (folder / "tenants").glob("*.json"):
        file.unlink()
    logged = {"detailed_logging": True}
    for name, key, features in (("default", "tenant key", {}), ("open", "open tenant's key", logged)):
        tenant = {
            "tenant_id": name,
            "api_keys": [KEYS[key]],
            "providers": {"enabled": ["groq", "google-gemini"]},
            "webhook_secret": KEYS["webhook secret"],
            "features": features,
        }
        (folder / "tenants" / f"{name}.json").write_text(json.dumps(tenant))
    accounts(folder, sandbox_process.url)
    stack = Stack(
        ("groq", "google-gemini"),
        background=True,
        redis_password=KEYS["Redis password"],
        environment={
            "MODEL_ROUTER_CONFIG": str(folder),
            "MODEL_ROUTER_ADMIN_KEY": KEYS["admin key"],
            "MODEL_ROUTER_KEY_PEPPER": KEYS["pepper"],
            "MODEL_ROUTER_UNSTORED_S": "1",
            "FLOWER_BASIC_AUTH": KEYS["Flower password"],
            "LOG_LEVEL": "debug",
            "GROQ_API_KEY": KEYS["provider key"],
            "GOOGLE_API_KEY": KEYS["second provider's key"],
            "MODEL_ROUTER_WEBHOOK_ALLOW_PRIVATE": "1",
        },
    )
    stack.session.headers["Authorization"] = f"Bearer {KEYS['tenant key']}"
    yield stack
    stack.stop()


def accounts(folder, url):
    """Have two accounts with keys, as real ones have them, call the sandbox at `url`."""
    rows = json.loads((folder / "providers.json").read_text())
    rows = {name: rows[name] for name in ("groq", "google-gemini")}
    for name, row in rows.items():
        row["endpoint"] = f"{url}/{name}{urlsplit(row['endpoint']).path}"
    (folder / "providers.json").write_text(json.dumps(rows))
    models = json.loads((folder / "models.json").read_text())
    kept = {alias: [name for name in names if name.split("/")[0] in rows] for alias, names in models.items()}
    (folder / "models.json").write_text(json.dumps({alias: names for alias, names in kept.items() if names}))


def say(product, **fields):
    """Ask with a canary in every place where a caller may say something."""
    tool = {"type": "function", "function": {"name": SAID["tool"], "parameters": {"type": "object", "properties": {}}}}
    body = {
        "model": "groq/openai/gpt-oss-20b",
        "messages": [
            {"role": "system", "content": SAID["system"]},
            {"role": "user", "content": SAID["prompt"]},
        ],
        "user": SAID["user"],
        "tools": [tool],
        **fields,
    }
    headers = {"Cookie": f"session={SENT['cookie']}", "X-Own": SENT["header"]}
    return product.post(body, headers=headers, params={"token": SENT["query"]})


def crash_both(product):
    """Ruin what the ledger keeps, so that the API and a worker meet errors they do not know; then mend it."""
    client = product.redis.client
    client.delete("mr:jobs:default")
    client.set("mr:jobs:default", "not a list")
    assert say(product).status_code == 500
    client.delete("mr:jobs:default", "mr:health")
    client.set("mr:health", "not a hash")
    job = say(product, background=True).json()["id"]
    wait_until(lambda: "job.run_failed" in product.workers["groq"].logs(), what="the worker's error")
    client.delete("mr:health")
    wait_until(lambda: product.get(f"/v1/jobs/{job}").json()["status"] == "completed", timeout_s=40, what="its end")


@pytest.fixture(scope="module")
def written(product, sandbox_process):
    """Everything that was written while all went well, badly, and wrong."""
    bodies = {}
    with WebhookReceiver() as receiver:
        assert say(product, webhook_url=receiver.url).status_code == 200
        wait_until(lambda: receiver.received, what="the webhook")
    for fields in ({"stream": True}, {"background": True}, {"store": False}):
        assert say(product, **fields).status_code < 300
    for status in (400, 401, 429, 500):
        sandbox_process.behave("*", fault="status", status=status)
        bodies[f"provider's {status}"] = say(product, deadline_s=3).text
    sandbox_process.behave("*", fault="malformed")
    bodies["malformed"] = say(product, deadline_s=3).text
    sandbox_process.reset()
    bodies["bad field"] = say(product, temperature="hot").text
    bodies["bad JSON"] = product.session.post(
        f"{product.api.url}/v1/chat/completions", data=b'{"model": "' + SAID["prompt"].encode()
    ).text
    wrong = {"Authorization": f"Bearer {SENT['wrong key']}", "X-Api-Key": SENT["wrong key"]}
    bodies["wrong key"] = product.get("/v1/models", headers=wrong).text
    bodies["broken head"] = exchange(
        product.api.port, b"GET /livez HTTP/1.1\r\nAuthorization Bearer " + SENT["broken head"].encode() + b"\r\n\r\n"
    ).body.decode()
    bodies["smuggled"] = exchange(
        product.api.port, head(key=KEYS["tenant key"], Transfer_Encoding="x") + dump(chat(SAID["prompt"]))
    ).body.decode()
    made = use_admin(product)
    crash_both(product)
    for path in ("/health", "/livez", "/readyz", "/metrics", "/v1/health/providers", "/v1/models", "/v1/jobs", "/docs"):
        bodies[path] = product.get(path).text
    bodies["doctor"] = doctor(product)
    logs = {node.name: node.logs() for node in (product.api, product.redis, *product.workers.values())}
    assert all(logs.values())
    return Written({**logs, **bodies}, made)


def use_admin(product):
    """Make a key by the admin API, use it, have it refused when it is revoked; its secret."""
    headers = {"Authorization": f"Bearer {KEYS['admin key']}"}
    made = product.admin("POST", "/keys", {"tenant_id": "default", "name": "canary"}, headers=headers).json()
    own = {"Authorization": f"Bearer {made['secret']}"}
    assert product.post(chat("x"), headers=own).status_code == 200
    assert product.admin("POST", f"/keys/{made['id']}/revoke", headers=headers).status_code == 200
    assert product.get("/v1/models", headers=own).status_code == 401
    assert product.admin("GET", "/keys", headers=own).status_code == 403
    return made["secret"]


def doctor(product):
    """What `model-router doctor` says of this product."""
    ran = subprocess.run(
        [sys.executable, "-m", "cli", "doctor"],
        cwd=PROJECT_ROOT,
        env=product.api._environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "last checks" in ran.stdout, ran.stderr
    return ran.stdout + ran.stderr


def test_no_key_is_written_anywhere(written):
    """Keys, secrets and passwords stand in no log, no error, no page, nor in what `doctor` says, also after crashes."""
    assert "Traceback" in written.by["api"]
    assert "Traceback" in written.by["groq"]
    assert written.holding({**KEYS, "made key": written.made}) == set()


def test_what_callers_send_beside_is_written_nowhere(written):
    """Wrong keys, cookies, other headers and queries are not repeated and not logged."""
    assert written.holding(SENT) == set()


def test_what_callers_say_is_not_logged(written, product):
    """No prompt stands in a log, in metrics or in lists; that of the tenant who asked for detailed logging does."""
    own = {"/health", "/livez", "/readyz", "/metrics", "/v1/health/providers", "/v1/models", "/v1/jobs", "doctor"}
    logs = {node.name for node in (product.api, product.redis, *product.workers.values())}
    told = Written({who: text for who, text in written.by.items() if who in own | logs})
    assert told.holding(SAID) == set()
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Authorization": "Bearer " + KEYS["open tenant's key"]}
        url = f"{product.api.url}/v1/chat/completions"
        assert session.post(url, json=chat(OPENLY), headers=headers, timeout=30).status_code == 200
    assert OPENLY in product.api.logs()
    assert KEYS["open tenant's key"] not in product.api.logs()


def test_the_store_has_no_key(written, product):
    """Neither keys of tenants and providers, nor secrets of the configuration, are in Redis or in its files."""
    data = b"".join(path.read_bytes() for path in Path(product.redis._data.name).rglob("*") if path.is_file())
    assert SAID["prompt"].encode() in data
    assert {name for name, secret in {**KEYS, "made key": written.made}.items() if secret.encode() in data} == set()

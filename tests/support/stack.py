"""The whole product on real parts: Redis, the sandbox providers, one worker per provider, the API."""

import http.client
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import requests

from config.settings import PROJECT_ROOT
from tests.support.process_node import ProcessNode, RedisNode, WorkerNode, free_port, wait_until
from tests.support.sandbox_process import SandboxProcess

KEY = "ak-demo123"
ADMIN_KEY = "the-admin-key-of-the-tests"
PROVIDERS = ("groq", "google-gemini", "hugging-face")
_KEY_VARIABLES = ("GROQ_API_KEY", "GOOGLE_API_KEY", "HUGGINGFACE_API_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY")


class ApiNode(ProcessNode):
    """The API as `model-router api` starts it."""

    def __init__(self, environment: Mapping[str, str], name: str = "api"):
        self.port = int(environment["PORT"])
        super().__init__(name, [sys.executable, "-m", "cli", "api"], environment)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


class Stack:
    """Starts everything in parallel; `environment` adds to or overrides what the processes are given."""

    def __init__(
        self,
        providers: Iterable[str] = PROVIDERS,
        *,
        background: bool = False,
        environment: Mapping[str, str] | None = None,
        redis_password: str = "",
    ):
        self.redis = RedisNode(redis_password)
        self.sandbox = SandboxProcess()
        self.sandbox.start()
        self.redis.ready()
        self.files = tempfile.TemporaryDirectory(prefix="files-")
        blank = dict.fromkeys(_KEY_VARIABLES, "")
        self._folder = tempfile.TemporaryDirectory(prefix="stack-")
        if not (environment or {}).get("MODEL_ROUTER_CONFIG"):
            shipped = Path(self._folder.name) / "config"
            copy_configuration(shipped)
            environment = {**(environment or {}), "MODEL_ROUTER_CONFIG": str(shipped)}
        self.environment = {
            **blank,
            "REDIS_URL": self.redis.url,
            "MODEL_ROUTER_SANDBOX_URL": self.sandbox.url,
            "MODEL_ROUTER_FILES_URL": self.files.name,
            "PORT": str(free_port()),
            "MODEL_ROUTER_ADMIN_KEY": ADMIN_KEY,
            # Some of these have providers that are not the sandbox's.
            "MODEL_ROUTER_ALLOW_DEMO_KEY": "true",
            "PYTHONWARNINGS": "default",
            **environment,
        }
        self.workers = {name: WorkerNode(["--provider", name], self.environment, name) for name in providers}
        if background:
            self.workers["background"] = WorkerNode(
                ["--queue", "webhooks", "--queue", "batches", "--queue", "maintenance"], self.environment, "background"
            )
        self.api = ApiNode(self.environment)
        self.session = requests.Session()
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=512))
        self.session.headers["Authorization"] = f"Bearer {KEY}"
        # Proxies of the machine the tests run on are none of their business.
        self.session.trust_env = False
        for node in (*self.workers.values(), self.api):
            node.ready()

    def another_api(self) -> ApiNode:
        """A second API process on the same Redis."""
        node = ApiNode({**self.environment, "PORT": str(free_port())}, "api-2")
        node.ready()
        return node

    def post(self, body: Any = None, *, path: str = "/v1/chat/completions", api: ApiNode | None = None, **options: Any):
        """POST to the API; `body` is sent as JSON."""
        options.setdefault("timeout", 60)
        return self.session.post(f"{(api or self.api).url}{path}", json=body, **options)

    def get(self, path: str, **options: Any):
        options.setdefault("timeout", 60)
        return self.session.get(f"{self.api.url}{path}", **options)

    def admin(self, method: str, path: str, body: Any = None, *, api: ApiNode | None = None, **options: Any):
        """Ask the admin API; `path` is what comes after /admin/v1."""
        options = {"timeout": 60, "headers": {"Authorization": f"Bearer {ADMIN_KEY}"}, **options}
        return self.session.request(method, f"{(api or self.api).url}/admin/v1{path}", json=body, **options)

    def jobs_left(self) -> int:
        """How many jobs are accepted and not ended."""
        return self.redis.client.zcard("mr:schedule")

    def job_count(self) -> int:
        """How many job records there are, ended ones included."""
        return sum(1 for _ in self.redis.client.scan_iter("mr:job:*", count=1000))

    def stop(self):
        self.session.close()
        for node in (self.api, *self.workers.values()):
            node.kill()
            node.teardown()
        self.sandbox.stop()
        self.redis.teardown()
        self.files.cleanup()
        self._folder.cleanup()


def copy_configuration(folder: Path) -> None:
    """Copy the shipped configuration to `folder`, which must not exist; its tenants may send as much as they like."""
    shutil.copytree(PROJECT_ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for file in (folder / "tenants").glob("*.json"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "quotas": {}}))


def without_exploration(folder: Path) -> None:
    """Have the policies of a configuration folder explore nobody: who goes first is then foreseeable."""
    file = folder / "policies" / "routing.json"
    policies = json.loads(file.read_text())
    file.write_text(json.dumps({name: {**policy, "exploration": 0} for name, policy in policies.items()}))


def chat(text: str = "Say hello.", model: str = "groq/openai/gpt-oss-20b", **fields: Any) -> dict[str, Any]:
    """A chat request of one user message."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **fields}


def ended_object(stack: Stack, job_id: str, timeout_s: float = 20.0) -> dict[str, Any]:
    """The job once it has ended."""

    def ended():
        job = stack.get(f"/v1/jobs/{job_id}").json()
        return job if job["status"] not in ("queued", "in_progress") else None

    return wait_until(ended, timeout_s=timeout_s, what=f"the end of {job_id}")


def dump(value: Any) -> bytes:
    """JSON as bytes, for bodies that `requests` would not write."""
    return json.dumps(value).encode()

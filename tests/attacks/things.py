"""Things of a tenant's that others must not meet: one of each kind, made by the API."""

import re
import secrets

from tests.attacks.authorisation import BATCH
from tests.support.process_node import wait_until
from tests.support.stack import KEY, Stack, chat


class Things:
    """Makes things of the tenant that `stack` calls as; `drop` removes those of which there may be few."""

    def __init__(self, stack: Stack, receiver: str) -> None:
        self._stack = stack
        self._receiver = receiver
        # Who may have been given a key for a provider.
        self._with_own_keys: tuple[str, ...] = ()
        # Paths of the admin API; the matrix makes a tenant itself.
        self._administered = ["/tenants/made-by-the-matrix"]

    def make(self, parameter: str) -> str:
        """The id of a fresh thing, by the name that routes give it in their paths."""
        made: str = getattr(self, "_" + parameter)()
        return made

    def drop(self) -> None:
        # The matrix makes some itself, of several tenants.
        for key in (KEY, "ak-rival"):
            own = {"Authorization": f"Bearer {key}"}
            for row in self._stack.get("/v1/webhooks/endpoints", headers=own).json()["data"]:
                url = f"{self._stack.api.url}/v1/webhooks/endpoints/{row['id']}"
                self._stack.session.delete(url, headers=own)
        for key in self._with_own_keys:
            own = f"{self._stack.api.url}/v1/provider-keys/groq"
            self._stack.session.delete(own, headers={"Authorization": f"Bearer {key}"})
        for path in self._administered:
            self._stack.admin("DELETE", path)

    def _model(self) -> str:
        return "groq/openai/gpt-oss-20b"

    def _provider(self) -> str:
        self._with_own_keys = (KEY, "ak-rival")
        return "groq"

    def _version(self) -> str:
        """Of the console's files, which stand in its page with their version."""
        return self._console_file()[0]

    def _name(self) -> str:
        return self._console_file()[1]

    def _console_file(self) -> tuple[str, str]:
        page = self._stack.get("/console").text
        found = re.search(r'"/console/([^/"]+)/([^"]+)"', page)
        assert found
        return found[1], found[2]

    def _job_id(self) -> str:
        return self._stack.post(chat("Mine.", stream=True)).headers["X-Job-Id"]

    def _response_id(self) -> str:
        return self._stack.post({"model": "fast", "input": "Mine."}, path="/v1/responses").json()["id"]

    def _file_id(self) -> str:
        form = {"data": {"purpose": "batch"}, "files": {"file": ("mine.jsonl", b"{}\n")}}
        return self._stack.post(path="/v1/files", **form).json()["id"]

    def _batch_id(self) -> str:
        return self._stack.post(BATCH, path="/v1/batches").json()["id"]

    def _endpoint_id(self) -> str:
        body = {"url": self._receiver, "events": ["batch.completed"]}
        return self._stack.post(body, path="/v1/webhooks/endpoints").json()["id"]

    def _delivery_id(self) -> str:
        made = self._stack.post(path=f"/v1/webhooks/endpoints/{self._endpoint_id()}/test").json()["id"]
        path = f"/v1/webhooks/deliveries/{made}"
        wait_until(lambda: self._stack.get(path).json()["status"] != "pending", what="the delivery's end")
        return made

    def _key_id(self) -> str:
        made = self._stack.admin("POST", "/keys", {"tenant_id": "default"}).json()["id"]
        self._administered.append(f"/keys/{made}")
        return made

    def _tenant_id(self) -> str:
        made = f"tenant-{secrets.token_hex(4)}"
        body = {"tenant_id": made, "providers": {"enabled": ["groq"]}}
        assert self._stack.admin("POST", "/tenants", body).status_code == 200
        self._administered.append(f"/tenants/{made}")
        return made

"""The sandbox's own routes below /_sandbox: setting behaviours, and asking the witness. No vendor has these."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from sandbox.behaviour import InvalidBehaviour, parse
from sandbox.dialects.base import JSON_TYPE, Reply
from sandbox.meter import Meter
from sandbox.standing import ANY_PROVIDER, Standing, of_key
from sandbox.witness import Witness

PREFIX = "/_sandbox"


def error(status: int, message: str, *, param: str | None = None, code: str) -> Reply:
    """An error of the sandbox itself, unlike any vendor's by its type."""
    body = {"error": {"message": message, "type": "sandbox_error", "param": param, "code": code}}
    return Reply(status, (JSON_TYPE,), json.dumps(body).encode())


def invalid_behaviour(problem: InvalidBehaviour) -> Reply:
    """A behaviour that was not understood."""
    return error(400, str(problem), param=problem.field, code="invalid_behaviour")


class Control:
    """Answers the control routes."""

    def __init__(self, standing: Standing, meter: Meter, witness: Witness) -> None:
        self._standing = standing
        self._meter = meter
        self._witness = witness

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request; `path` begins after the prefix."""
        steps = [unquote(step) for step in path.strip("/").split("/")]
        if steps == ["health"] and method == "GET":
            return _json({"status": "ok"})
        if steps == ["calls"] and method in ("GET", "DELETE"):
            return self._calls(method, query)
        if len(steps) == 2 and steps[1] == "behaviour" and method in ("GET", "PUT", "DELETE"):
            return self._behaviour(method, steps[0], steps[0], body)
        if len(steps) == 4 and steps[1::2] == ["keys", "behaviour"] and method in ("GET", "PUT", "DELETE"):
            return self._behaviour(method, steps[0], of_key(steps[0], steps[2]), body)
        known = "GET health; GET, DELETE calls; GET, PUT, DELETE {provider}/behaviour, {provider}/keys/{key}/behaviour"
        message = f"the sandbox has no {method} {PREFIX}{path}; below {PREFIX}/ it has: {known}"
        return error(404, message, code="not_found")

    def _calls(self, method: str, query: Mapping[str, str]) -> Reply:
        if method == "DELETE":
            self._witness.reset()
        counts = self._witness.counts()
        if query.get("log") == "1":
            counts.update(self._witness.log())
        if query.get("bodies") == "1":
            counts.update(self._witness.bodies())
        return _json(counts)

    def _behaviour(self, method: str, provider: str, name: str, body: bytes) -> Reply:
        if method == "PUT":
            try:
                behaviour = parse(json.loads(body))
            except InvalidBehaviour as problem:
                return invalid_behaviour(problem)
            except (ValueError, RecursionError):
                return error(400, "the body is not JSON", code="invalid_json")
            self._standing.put(name, behaviour)
        elif method == "DELETE":
            self._standing.delete(name)
        if method != "GET":
            self._meter.refill(None if provider == ANY_PROVIDER else provider)
        return _json(self._standing.get(name).shown())


def _json(value: dict[str, Any]) -> Reply:
    return Reply(200, (JSON_TYPE,), json.dumps(value).encode())

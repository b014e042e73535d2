"""Checks a batch's input before any of it is run: every bad line is told of, not only the first."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from config.access_key import AccessKey
from config.tenant import Tenant
from routing.catalogue import Catalogue
from routing.eligibility import eligible, nobody_serves
from routing.errors import RequestError
from workers.batches.line import LineRefused, RawLine, read_line
from workers.requests.demands import demand_of
from workers.tenant_limits import check_size


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line, in the form of OpenAI's `errors`. `line` counts from 1; None: the file as a whole."""

    code: str
    message: str
    param: str | None = None
    line: int | None = None

    def as_object(self) -> dict[str, Any]:
        """The problem as the batch shows it."""
        return {"code": self.code, "message": self.message, "param": self.param, "line": self.line}

    def as_line(self) -> bytes:
        """The problem as a line of the error file."""
        return json.dumps(self.as_object()).encode() + b"\n"


@dataclass(slots=True)
class InputCheck:
    """One pass over an input."""

    endpoint: str
    tenant: Tenant
    catalogue: Callable[[], Catalogue]
    most_lines: int
    # The key the batch came with; None where it is not known any more.
    key: AccessKey | None = None
    total: int = 0
    # By their hashes: 50,000 ids may be 25 MB of text.
    _seen: dict[int, int] = field(default_factory=dict)

    def problems(self, lines: Iterator[RawLine]) -> Iterator[Problem | None]:
        """What is wrong with each line, None where it is nothing; at last what is wrong with the file as a whole."""
        for raw in lines:
            self.total += 1
            if self.total > self.most_lines:
                yield Problem("too_many_requests", f"a batch has at most {self.most_lines} lines", None, raw.number)
                return
            yield self._problem(raw)
        if not self.total:
            yield Problem("empty_batch", "The input file has no lines: each is to be a request.")

    def _problem(self, raw: RawLine) -> Problem | None:
        try:
            line = read_line(raw.text, self.endpoint)
            self._find(line.body)
        except LineRefused as refused:
            return Problem(refused.code, str(refused), refused.param, raw.number)
        except RequestError as error:
            param = f"body.{error.param}" if error.param else "body"
            return Problem(error.code or "invalid_request", error.message, param, raw.number)
        first = self._seen.setdefault(hash(line.custom_id), raw.number)
        if first == raw.number:
            return None
        message = f"The custom_id {line.custom_id!r} is that of line {first} as well."
        return Problem("duplicate_custom_id", message, "custom_id", raw.number)

    def _find(self, body: dict[str, Any]) -> None:
        """Raise the RequestError of a body that is none, or that no deployment can serve."""
        wanted = demand_of(self.endpoint, body).wanted()
        check_size(self.tenant.quotas, wanted)
        if self.key is not None:
            check_size(self.key.quotas, wanted)
        found, exclusions = eligible(wanted, self.tenant, self.catalogue(), self.key)
        if not found:
            raise nobody_serves(exclusions)

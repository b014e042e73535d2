"""The WSGI application: a request goes to the control routes, or to a vendor's dialect and out through a delivery."""

import json
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import parse_qsl

from sandbox import control
from sandbox.answer import compose
from sandbox.behaviour import DEFAULT, Behaviour, Fault, InvalidBehaviour, parse
from sandbox.connection import Connection
from sandbox.delivery import Delivery, StartResponse
from sandbox.dialects.base import Dialect, Operation, Refusal, Reply, Request, Route, Stream
from sandbox.dialects.registry import Dialects
from sandbox.meter import NO_GAUGES, Account, Exceeded, Gauges, Meter
from sandbox.standing import Standing
from sandbox.witness import MARKER_CHARACTERS, Call, Outcome, Witness

Environ = Mapping[str, Any]
# The status of an error that was given none.
_OVERLOADED = 503


@dataclass(frozen=True, slots=True)
class _Admitted:
    """What a call is answered with, once it is let in. `account` is set where its end must be told to the meter."""

    answer: Reply | Stream
    behaviour: Behaviour = DEFAULT
    tokens: int = 0
    account: Account | None = None


class Sandbox:
    """All state of one sandbox process, and the WSGI entry to it."""

    def __init__(self, seed: int | None = None) -> None:
        self._rng = Random(seed)  # noqa: S311 -- it spreads latencies and faults, it keeps no secret
        self._standing = Standing(self._rng)
        self._meter = Meter()
        self._witness = Witness()
        self._control = control.Control(self._standing, self._meter, self._witness)
        self._dialects = Dialects()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        path: str = environ["PATH_INFO"]
        request = Request(environ["REQUEST_METHOD"], path, _query(environ), _Headers(environ))
        body: bytes = environ["wsgi.input"].read()
        if path == control.PREFIX or path.startswith(control.PREFIX + "/"):
            reply = self._control.answer(request.method, path[len(control.PREFIX) :], request.query, body)
            return self._uncounted(environ, start_response, reply)
        provider, _, rest = path[1:].partition("/")
        if not provider:
            message = f"name a provider: /{{provider}}/...; the sandbox's own routes are below {control.PREFIX}/"
            return self._uncounted(environ, start_response, control.error(404, message, code="not_found"))
        request = Request(request.method, "/" + rest, request.query, request.headers)
        if request.method != "POST":
            return self._listed(environ, start_response, provider, request)
        call = self._witness.begin(provider, time.time(), request.path, body)
        admitted = self._admit(call, request, body)
        delivery = self._delivery(environ, start_response, admitted.behaviour, call, admitted.account)
        return delivery.send(admitted.answer, admitted.tokens)

    def _listed(
        self, environ: Environ, start_response: StartResponse, provider: str, request: Request
    ) -> Iterable[bytes]:
        """A vendor that is down answers no question for its models either."""
        self._witness.listed(provider)
        behaviour = DEFAULT
        dialect = self._dialects.of(provider)
        try:
            behaviour = self._standing.lasting(provider, dialect.key(request))
            reply = _failing(dialect, behaviour) or dialect.models(dialect.route(request))
        except Refusal as refusal:
            reply = refusal.reply
        return self._uncounted(environ, start_response, reply, behaviour)

    def _admit(self, call: Call, request: Request, body: bytes) -> _Admitted:
        """Decide on the answer to a call; every way to refuse it ends here."""
        try:
            return self._served(call, request, body)
        except Refusal as refusal:
            return _Admitted(refusal.reply)
        except InvalidBehaviour as problem:
            return _Admitted(control.invalid_behaviour(problem))
        except Exception:  # noqa: BLE001 -- the outermost handler: a defect of ours is told, never hung on
            traceback.print_exc(file=sys.stderr)
            return _Admitted(control.error(500, "a defect in the sandbox; see its log", code="sandbox_defect"))

    def _served(self, call: Call, request: Request, body: bytes) -> _Admitted:
        dialect = self._dialects.of(call.provider)
        key = dialect.key(request)
        route = dialect.route(request)
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise dialect.broken_json(body, str(error)) from None
        requested = _requested(request, payload)
        account = Account(call.provider, key)
        call.key = key
        if route.operation is Operation.EMBEDDINGS:
            return self._embedded(call, dialect, payload, requested, account, route)
        return self._completed(call, dialect, payload, requested, account, route)

    def _completed(
        self,
        call: Call,
        dialect: Dialect,
        payload: Any,
        requested: Behaviour | None,
        account: Account,
        route: Route,
    ) -> _Admitted:
        prompt = dialect.prompt(payload, route)
        call.model = prompt.model
        call.marker = prompt.transcript.last_user_text[:MARKER_CHARACTERS]
        behaviour = self._standing.resolve(call.provider, requested, call.marker, account.key)
        if behaviour.context_length is not None and prompt.transcript.tokens > behaviour.context_length:
            raise dialect.too_long(prompt.transcript.tokens, behaviour.context_length)
        answer = compose(call.provider, prompt, behaviour)
        gauges = self._let_in(call, dialect, behaviour, account, answer.prompt_tokens + answer.completion_tokens)
        held = account if behaviour.limits is not None else None
        if failing := _failing(dialect, behaviour, stream=prompt.stream):
            return _Admitted(failing, behaviour, account=held)
        if prompt.stream:
            stream = _erring(dialect, behaviour, route, dialect.stream(prompt, answer, gauges, route))
            return _Admitted(stream, behaviour, account=held)
        reply = dialect.reply(prompt, answer, gauges)
        return _Admitted(reply, behaviour, tokens=answer.completion_tokens, account=held)

    def _embedded(
        self,
        call: Call,
        dialect: Dialect,
        payload: Any,
        requested: Behaviour | None,
        account: Account,
        route: Route,
    ) -> _Admitted:
        call.model, tokens, reply = dialect.embeddings(payload, route, NO_GAUGES)
        behaviour = self._standing.resolve(call.provider, requested, call.marker, account.key)
        gauges = self._let_in(call, dialect, behaviour, account, tokens)
        if gauges is not NO_GAUGES:
            reply = dialect.embeddings(payload, route, gauges)[2]
        held = account if behaviour.limits is not None else None
        return _Admitted(_failing(dialect, behaviour) or reply, behaviour, account=held)

    def _let_in(self, call: Call, dialect: Dialect, behaviour: Behaviour, account: Account, tokens: int) -> Gauges:
        if behaviour.limits is None:
            return NO_GAUGES
        admission = self._meter.admit(account, behaviour.limits, tokens, time.monotonic())
        if isinstance(admission, Exceeded):
            raise dialect.rate_limited(call.model, admission)
        return admission

    def _delivery(
        self,
        environ: Environ,
        start_response: StartResponse,
        behaviour: Behaviour,
        call: Call,
        account: Account | None,
    ) -> Delivery:
        def ended(outcome: Outcome, status: int) -> None:
            call.status = status
            self._witness.end(call, outcome, time.time())
            if account is not None:
                self._meter.release(account)

        return Delivery(environ[Connection.KEY], behaviour, start_response, ended, self._rng)

    def _uncounted(
        self, environ: Environ, start_response: StartResponse, reply: Reply, behaviour: Behaviour = DEFAULT
    ) -> Iterable[bytes]:
        connection = environ[Connection.KEY]
        return Delivery(connection, behaviour, start_response, lambda _outcome, _status: None, self._rng).send(reply)


def _failing(dialect: Dialect, behaviour: Behaviour, *, stream: bool = False) -> Reply | None:
    """The answer that fails; None where it does not, or does so only within its stream."""
    if behaviour.fault is not Fault.STATUS and (stream or behaviour.fault is not Fault.ERROR):
        return None
    return dialect.failure(behaviour.status or _OVERLOADED, behaviour.retry_after).reply


def _erring(dialect: Dialect, behaviour: Behaviour, route: Route, stream: Stream) -> Stream:
    """The stream as it is, or its first half with an error after it."""
    if behaviour.fault is not Fault.ERROR:
        return stream
    frames = stream.frames[: len(stream.frames) // 2]
    return Stream(stream.headers, [*frames, dialect.error_event(behaviour.status or _OVERLOADED, route)])


def _requested(request: Request, payload: Any) -> Behaviour | None:
    """The request's own behaviour: its body's `sandbox`, which is taken out, under its x-sandbox header."""
    requested: Behaviour | None = None
    if isinstance(payload, dict) and "sandbox" in payload:
        requested = parse(payload.pop("sandbox"))
    header = request.headers.get("x-sandbox")
    if header is not None:
        try:
            value = json.loads(header)
        except (ValueError, RecursionError):
            raise InvalidBehaviour("x-sandbox", "the header x-sandbox is not JSON") from None
        requested = parse(value).over(requested or DEFAULT)
    return requested


def _query(environ: Environ) -> Mapping[str, str]:
    raw = environ["QUERY_STRING"]
    return dict(reversed(parse_qsl(raw, keep_blank_values=True))) if raw else {}


class _Headers(Mapping[str, str]):
    """The request's headers by lower-case name, read from the WSGI environment only when asked."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Environ) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        value: str = self._environ["HTTP_" + name.upper().replace("-", "_")]
        return value

    def __iter__(self) -> Iterator[str]:
        return (key[5:].lower().replace("_", "-") for key in self._environ if key.startswith("HTTP_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)

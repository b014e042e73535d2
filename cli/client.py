"""The HTTP API as commands ask it: one address, one key, and every error as one clear line."""

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self
from urllib.parse import urlsplit

import click

from cli.environment import read_configuration, read_settings
from cli.probe_key import probe_key
from cli.stack import api_url
from config.settings import Settings

if TYPE_CHECKING:
    import requests

P = ParamSpec("P")

TIMEOUT_S = 60.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ApiError(click.ClickException):
    """What the API answered instead, or why it did not; ends a command with one line and exit code 1.

    `status` is None where there was no answer; `retry_after_s` where it said when to come again.
    """

    def __init__(
        self, message: str, *, status: int | None = None, code: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(" ".join(message.split()))
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s


class Client:
    """Asks one API with one key, over one session. Every method raises ApiError for what is no answer."""

    def __init__(self, url: str, key: str) -> None:
        # Loaded when a command asks, so that --help stays quick.
        import requests  # noqa: PLC0415

        self.url = url.rstrip("/")
        self._session = requests.Session()
        # Not a header: a .netrc of the environment would go before it.
        self._session.auth = _Bearer(key)
        # A proxy of the environment has no part in what is on this machine.
        self._session.trust_env = urlsplit(self.url).hostname not in _LOOPBACK
        self._failures = (requests.RequestException, OSError, ValueError)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the session."""
        self._session.close()

    def get(self, path: str, query: Mapping[str, Any] | None = None, *, timeout_s: float = TIMEOUT_S) -> Any:
        """The JSON at `path`, which begins with a slash; what is None in `query` is left out."""
        return self._json(self.request("GET", path, params=query, timeout=timeout_s))

    def post(
        self,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> Any:
        """The JSON that a POST of `body` as JSON, or of nothing, is answered with."""
        return self._json(self.request("POST", path, json=body, headers=headers, timeout=timeout_s))

    def delete(self, path: str) -> Any:
        """The JSON that a DELETE is answered with."""
        return self._json(self.request("DELETE", path))

    def listed(self, path: str, query: Mapping[str, Any] | None = None, *, page: int = 100) -> Iterator[dict[str, Any]]:
        """Every entry of a list in OpenAI's form, page after page."""
        asked = {**(query or {}), "limit": page}
        while True:
            found = self.get(path, asked)
            yield from found["data"]
            if not found["has_more"]:
                return
            asked["after"] = found["last_id"]

    def request(self, method: str, path: str, **options: Any) -> "requests.Response":
        """One request with `options` as `requests` takes them (files, data, stream, ...); a status below 400."""
        options.setdefault("timeout", TIMEOUT_S)
        try:
            response = self._session.request(method, f"{self.url}{path}", **options)
            if response.status_code >= 400:
                raise self._refused(response)
        except self._failures as error:
            raise self._unanswered(error) from error
        return response

    def _json(self, response: "requests.Response") -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise ApiError(f"the API at {self.url} answered something that is not JSON; is it Model Router?") from error

    def _refused(self, response: "requests.Response") -> ApiError:
        error = _error(response.content)
        said = error.get("message") or f"the API at {self.url} answered HTTP {response.status_code}"
        if response.status_code == 401:
            said += "; give a key with --api-key, or in MODEL_ROUTER_API_KEY"
        return ApiError(
            str(said),
            status=response.status_code,
            code=error.get("code"),
            retry_after_s=_seconds(response.headers.get("Retry-After")),
        )

    def _unanswered(self, error: Exception) -> ApiError:
        import requests  # noqa: PLC0415

        if isinstance(error, requests.Timeout):
            return ApiError(f"the API at {self.url} did not answer in time")
        if isinstance(error, _no_url()):
            return ApiError(f"{self.url!r} is not the URL of an API; it looks like http://127.0.0.1:3000")
        why = "connection refused" if "refused" in str(error).lower() else type(error).__name__
        return ApiError(
            f"the API at {self.url} does not answer ({why}); is it running? `model-router up` starts it here, and "
            "--url or MODEL_ROUTER_URL says where else it is"
        )


def asks_api(command: Callable[Concatenate[Client, P], None]) -> Callable[..., None]:
    """Give a command the options --url and --api-key, and as its first argument the Client made of them."""

    @click.option("--url", envvar="MODEL_ROUTER_URL", help="The API's URL; $MODEL_ROUTER_URL, or this machine's API.")
    @click.option(
        "--api-key",
        "--key",
        "api_key",
        envvar=("MODEL_ROUTER_API_KEY", "MODEL_ROUTER_KEY"),
        help="The API key; $MODEL_ROUTER_API_KEY, or for a sandbox on this machine a shipped one.",
    )
    @functools.wraps(command)
    def asking(*args: Any, url: str | None, api_key: str | None, **options: Any) -> None:
        with connect(url, api_key) as client:
            command(client, *args, **options)

    return asking


def connect(url: str | None, key: str | None) -> Client:
    """A client of the API at `url`, or of this machine's; ApiError where a key is needed and not given."""
    settings = read_settings()
    key = (key or "").strip() or (_sandbox_key(settings) if url is None else None)
    if not key:
        raise ApiError("an API key is needed: give --api-key, or set MODEL_ROUTER_API_KEY")
    if not (key.isascii() and key.isprintable()):
        raise ApiError("the API key has characters that no key has")
    return Client(url or api_url(settings), key)


def _sandbox_key(settings: Settings) -> str | None:
    """The demonstration's key; a real configuration's keys are not used unasked."""
    configuration = read_configuration(settings)
    return probe_key(configuration, settings) if configuration.sandbox else None


def _no_url() -> tuple[type[Exception], ...]:
    from requests import exceptions  # noqa: PLC0415

    return exceptions.InvalidURL, exceptions.InvalidSchema, exceptions.MissingSchema


class _Bearer:
    """The key, in OpenAI's header."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _error(body: bytes) -> Mapping[str, Any]:
    """What an error answer holds in OpenAI's form; nothing where it is not in that form."""
    try:
        error = json.loads(body)["error"]
    except (ValueError, LookupError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _seconds(told: str | None) -> float | None:
    return float(told) if told and told.isascii() and told.isdigit() else None

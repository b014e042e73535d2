"""The process's settings: the only module that reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class SettingError(ValueError):
    """An environment variable holds something its setting cannot be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, read once at start. Durations are seconds (`_s`) and sizes bytes (`_bytes`)."""

    port: int = 3000
    flower_port: int = 5555
    sandbox_port: int = 3900
    host: str = "127.0.0.1"
    # Flower shows jobs and can stop workers: it listens on loopback unless told otherwise.
    flower_host: str = "127.0.0.1"
    # The sandbox asks for no key: it listens on loopback unless told otherwise.
    sandbox_host: str = "127.0.0.1"
    log_level: str = "info"
    # None: the embedded Redis of `model-router up` is used; its address is then in HOME.
    redis_url: str | None = None
    key_prefix: str = "mr:"
    home: Path = field(default_factory=lambda: Path(".model-router"))
    # Where the bytes of files are kept, as fsspec writes it; None: the folder `files` of HOME.
    files_url: str | None = None
    config_dir: Path = field(default_factory=lambda: PROJECT_ROOT / "config")
    # Where the sandbox providers listen; None: the loopback interface at `sandbox_port`.
    sandbox_url: str | None = None
    health_check_interval_s: float = 300.0
    # Whose queue this worker serves, as `model-router worker --provider` says it; None in every other process.
    worker_provider: str | None = None
    api_workers: int = 1
    max_body_bytes: int = 20 * 1024 * 1024
    max_file_bytes: int = 200 * 1024 * 1024
    # How long a synchronous POST waits before it answers 504 and leaves the job to go on.
    wait_s: float = 300.0
    # How long a stream may be silent before a comment is sent to keep it; also how long its first byte is held back
    # for an answer, or a failure with a status of its own.
    keep_alive_s: float = 3.0
    # A job that is not done this long after it was accepted expires, unless the request says otherwise.
    deadline_s: float = 600.0
    # What is kept of a finished job, and for how long.
    retention_s: float = 86_400.0
    # A batch that has ended, and the files of its output, are kept this long.
    batch_retention_s: float = 30 * 86_400.0
    # A batch has so many lines at most; a tenant so many batches that have not ended.
    batch_max_lines: int = 50_000
    batches_per_tenant: int = 200
    # How many lines of batches are in flight at a provider; None: twice as many as one of its workers calls at once.
    batch_window: int | None = None
    # How many of a tenant's failed or expired jobs can be listed as such; beyond, the oldest are no more.
    failures_kept: int = 10_000
    # A worker that is silent this long has lost the jobs it was running.
    lease_s: float = 10.0
    heartbeat_s: float = 2.0
    # How often each worker process looks for jobs that somebody must look at again.
    rescue_interval_s: float = 1.0
    # How long after its publication a queued job is first suspected of having lost its message.
    requeue_check_s: float = 5.0
    # How long a worker told to stop waits for its running jobs before it leaves them to the rescue.
    drain_s: float = 30.0
    config_poll_s: float = 2.0
    # Webhooks to loopback and private addresses are for development; the sandbox turns this on by itself.
    webhook_allow_private: bool = False
    # How long a receiver may take, and how long a secret is valid after it was replaced.
    webhook_timeout_s: float = 20.0
    webhook_grace_s: float = 86_400.0
    # How many deliveries of a tenant are kept, made or not.
    webhook_deliveries: int = 50_000
    # Celery task events for Flower: they cost throughput, see README.
    task_events: bool = False
    # Opens /metrics; None: it is open to all who can reach it.
    metrics_key: str | None = field(default=None, repr=False)
    # Opens /admin; None: there is no admin API.
    admin_key: str | None = field(default=None, repr=False)

    @property
    def sandbox_base_url(self) -> str:
        """The sandbox's root URL, without a trailing slash."""
        return (self.sandbox_url or f"http://127.0.0.1:{self.sandbox_port}").rstrip("/")

    @property
    def files_place(self) -> str:
        """Where the bytes of files are kept: a folder's path, or a URL of fsspec's."""
        return self.files_url or str((self.home / "files").absolute())

    def resolve_redis_url(self) -> str:
        """Redis's address: REDIS_URL, or what the embedded Redis of this HOME wrote down; SettingError if neither."""
        if self.redis_url:
            return self.redis_url
        try:
            return (self.home / "redis" / "url").read_text().strip()
        except OSError:
            raise SettingError(
                f"no Redis: set REDIS_URL, or start `model-router up` (its embedded Redis would note its address in "
                f"{self.home / 'redis' / 'url'})"
            ) from None

    def child_environment(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The environment of a process started by this one: its own, with the folders made absolute."""
        return {
            **environ,
            "MODEL_ROUTER_HOME": str(self.home),
            "MODEL_ROUTER_CONFIG": str(self.config_dir),
            "PYTHONUNBUFFERED": "1",
        }

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every setting from `environ`; raises SettingError naming the variable that cannot be used."""
        read = _Reader(environ)
        # An instance: with slots, the class itself holds descriptors and not the defaults.
        default = cls()
        home = Path(environ.get("MODEL_ROUTER_HOME") or ".model-router").expanduser().resolve()
        config_dir = Path(environ.get("MODEL_ROUTER_CONFIG") or PROJECT_ROOT / "config").expanduser().resolve()
        return cls(
            port=read.port("PORT", default.port),
            flower_port=read.port("FLOWER_PORT", default.flower_port),
            sandbox_port=read.port("MODEL_ROUTER_SANDBOX_PORT", default.sandbox_port),
            host=environ.get("MODEL_ROUTER_HOST") or default.host,
            flower_host=environ.get("MODEL_ROUTER_FLOWER_HOST") or default.flower_host,
            sandbox_host=environ.get("MODEL_ROUTER_SANDBOX_HOST") or default.sandbox_host,
            log_level=read.choice("LOG_LEVEL", default.log_level, ("debug", "info", "warning", "error")),
            redis_url=environ.get("REDIS_URL") or None,
            key_prefix=environ.get("MODEL_ROUTER_KEY_PREFIX") or default.key_prefix,
            home=home,
            files_url=_place(environ.get("MODEL_ROUTER_FILES_URL", "")),
            config_dir=config_dir,
            sandbox_url=environ.get("MODEL_ROUTER_SANDBOX_URL") or None,
            health_check_interval_s=read.number("HEALTH_CHECK_INTERVAL", default.health_check_interval_s * 1000) / 1000,
            worker_provider=environ.get("MODEL_ROUTER_WORKER_PROVIDER") or None,
            api_workers=read.whole("MODEL_ROUTER_API_WORKERS", default.api_workers),
            max_body_bytes=read.whole("MODEL_ROUTER_MAX_BODY_BYTES", default.max_body_bytes),
            max_file_bytes=read.whole("MODEL_ROUTER_MAX_FILE_BYTES", default.max_file_bytes),
            wait_s=read.number("MODEL_ROUTER_WAIT_S", default.wait_s),
            keep_alive_s=read.number("MODEL_ROUTER_KEEP_ALIVE_S", default.keep_alive_s),
            deadline_s=read.number("MODEL_ROUTER_DEADLINE_S", default.deadline_s),
            retention_s=read.number("MODEL_ROUTER_RETENTION_S", default.retention_s),
            batch_retention_s=read.number("MODEL_ROUTER_BATCH_RETENTION_S", default.batch_retention_s),
            batch_max_lines=read.whole("MODEL_ROUTER_BATCH_MAX_LINES", default.batch_max_lines),
            batches_per_tenant=read.whole("MODEL_ROUTER_BATCHES_PER_TENANT", default.batches_per_tenant),
            batch_window=read.whole("MODEL_ROUTER_BATCH_WINDOW", 0) or None,
            failures_kept=read.whole("MODEL_ROUTER_FAILURES_KEPT", default.failures_kept),
            lease_s=read.number("MODEL_ROUTER_LEASE_S", default.lease_s),
            heartbeat_s=read.number("MODEL_ROUTER_HEARTBEAT_S", default.heartbeat_s),
            rescue_interval_s=read.number("MODEL_ROUTER_RESCUE_INTERVAL_S", default.rescue_interval_s),
            requeue_check_s=read.number("MODEL_ROUTER_REQUEUE_CHECK_S", default.requeue_check_s),
            drain_s=read.number("MODEL_ROUTER_DRAIN_S", default.drain_s),
            config_poll_s=read.number("MODEL_ROUTER_CONFIG_POLL_S", default.config_poll_s),
            webhook_allow_private=read.flag(
                "MODEL_ROUTER_WEBHOOK_ALLOW_PRIVATE", default=default.webhook_allow_private
            ),
            webhook_timeout_s=read.number("MODEL_ROUTER_WEBHOOK_TIMEOUT_S", default.webhook_timeout_s),
            webhook_grace_s=read.number("MODEL_ROUTER_WEBHOOK_GRACE_S", default.webhook_grace_s),
            webhook_deliveries=read.whole("MODEL_ROUTER_WEBHOOK_DELIVERIES", default.webhook_deliveries),
            task_events=read.flag("MODEL_ROUTER_TASK_EVENTS", default=default.task_events),
            metrics_key=environ.get("MODEL_ROUTER_METRICS_KEY", "").strip() or None,
            admin_key=read.secret("MODEL_ROUTER_ADMIN_KEY", "MODEL_ROUTER_ADMIN_KEY_FILE", least=16),
        )


def provider_key(variable: str | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The API key in `variable`, stripped; None when it is unset or blank, or when there is no variable to read."""
    if variable is None:
        return None
    return environ.get(variable, "").strip() or None


def _place(raw: str) -> str | None:
    """A URL as it is, a folder's path made absolute; None where nothing is set."""
    value = raw.strip()
    if not value:
        return None
    return value if "://" in value else str(Path(value).expanduser().resolve())


class _Reader:
    """Typed reads of one environment, with errors that name the variable."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def number(self, name: str, default: float) -> float:
        raw = self._environ.get(name, "").strip()
        if not raw:
            return default
        try:
            value = float(raw)
        except ValueError:
            raise SettingError(f"{name} must be a number, not {raw!r}") from None
        if not 0 < value < 1e12:
            raise SettingError(f"{name} must be greater than 0, not {raw}")
        return value

    def whole(self, name: str, default: int) -> int:
        value = self.number(name, default)
        if value != int(value):
            raise SettingError(f"{name} must be a whole number, not {value}")
        return int(value)

    def port(self, name: str, default: int) -> int:
        value = self.whole(name, default)
        if value > 65_535:
            raise SettingError(f"{name} must be a port from 1 to 65535, not {value}")
        return value

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self._environ.get(name, "").strip().lower() or default
        if value not in allowed:
            raise SettingError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        raw = self._environ.get(name, "").strip().lower()
        if raw in ("", "0", "false", "no", "off"):
            return default if raw == "" else False
        if raw in ("1", "true", "yes", "on"):
            return True
        raise SettingError(f"{name} must be 1 or 0, not {raw!r}")

    def secret(self, name: str, file_name: str, *, least: int) -> str | None:
        """The text in `name`, or in the file that `file_name` says; None where neither is set. No error quotes it."""
        value, file = self._environ.get(name, "").strip(), self._environ.get(file_name, "").strip()
        if value and file:
            raise SettingError(f"{name} and {file_name} are both set: set one of them")
        if file:
            name, value = file_name, _file_text(file_name, file)
        if not value:
            return None
        if len(value) < least or not (value.isascii() and value.isprintable() and " " not in value):
            raise SettingError(f"{name} must be at least {least} visible ASCII characters without blanks")
        return value


def _file_text(name: str, file: str) -> str:
    """What a file named by a setting holds, stripped; SettingError where that cannot be read, or is nothing."""
    try:
        text = Path(file).expanduser().read_text().strip()
    except (OSError, ValueError) as error:
        raise SettingError(f"{name}: {file} cannot be read ({type(error).__name__})") from None
    if not text:
        raise SettingError(f"{name}: {file} is empty")
    return text

"""gunicorn's settings: gevent workers that hold thousands of waiting requests."""

from typing import Any

from config.settings import Settings
from workers import memory

_settings = Settings.from_environment()

bind = [f"{_settings.host}:{_settings.port}"]
if _settings.admin_port is not None:
    bind.append(f"{_settings.admin_host}:{_settings.admin_port}")
workers = _settings.api_workers
worker_class = "api.worker.Worker"
# Every waiting caller holds a connection.
worker_connections = 20_000
backlog = 8192
keepalive = 75
graceful_timeout = int(_settings.drain_s)
# A greenlet cannot block the worker's heartbeat for long without a bug; a process that stuck is replaced.
timeout = 120
loglevel = _settings.log_level
errorlog = "-"
logger_class = "api.log_lines.LogLines"
# Its address is one for all stacks of a user, and nothing here uses it.
control_socket_disable = True
# A head of at most 8 KiB a line and 100 headers; how long it may take: api/paced_socket.py.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
proc_name = "model-router-api"


def post_worker_init(worker: Any) -> None:  # noqa: ARG001 (gunicorn's signature)
    """The application is loaded; what it is made of stays."""
    memory.settle()

"""The Flask application: routes, request ids and limits put together."""

import re
import secrets
import time

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import NotFound

from api import (
    admin_keys,
    admin_tenants,
    admin_usage,
    anthropic_messages,
    batches,
    completions,
    console_overview,
    console_page,
    cors,
    embeddings,
    error_handlers,
    files,
    health,
    job_list,
    job_replay,
    jobs,
    legacy_completions,
    limits,
    metrics,
    models,
    provider_keys,
    rate_limits,
    reference,
    responses,
    routing_plan,
    security_headers,
    usage,
    webhook_deliveries,
    webhook_endpoints,
    webhook_secret,
)
from api.context import ARRIVED, EXTENSION, REQUEST_ID
from api.services import Services

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


def create_app(services: Services) -> Flask:
    """The application over `services`."""
    app = Flask("model_router", static_folder=None)
    app.extensions[EXTENSION] = services
    app.config["MAX_CONTENT_LENGTH"] = services.settings.max_body_bytes
    # A trailing slash makes no difference: a redirect would lose a POST its body.
    app.url_map.strict_slashes = False
    # Nor is there a redirect for `//v1`, of which a browser would make another host.
    app.url_map.merge_slashes = False
    surfaces = (completions, legacy_completions, anthropic_messages, responses, embeddings)
    tasks = (jobs, job_list, job_replay, batches, files)
    webhooks = (webhook_secret, webhook_endpoints, webhook_deliveries)
    administration = (admin_tenants, admin_keys, admin_usage)
    own = (models, limits, usage, provider_keys, routing_plan, health, metrics)
    console = (console_page, console_overview)
    for module in (*surfaces, *tasks, *own, *webhooks, *administration, *console):
        app.register_blueprint(module.blueprint)
    reference.register(app)
    error_handlers.register(app)
    app.before_request(_name_request)
    # Flask calls what was registered last first: the headers below are there when these are added.
    cors.register(app, services.settings.cors_origins)
    app.after_request(_finish_headers)
    return app


def _name_request() -> None:
    """Note when the request came, and give it the caller's own id, or one of ours. NotFound for a path that hides."""
    request.environ[ARRIVED] = time.monotonic()
    given = request.headers.get("X-Request-Id", "")
    request.environ[REQUEST_ID] = given if _REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"
    # Werkzeug reads `//admin` as `/admin`; a proxy in front that keeps callers from a path may not.
    if request.environ.get("PATH_INFO", "").startswith("//"):
        raise NotFound


def _finish_headers(response: Response) -> Response:
    """The headers that every response has; a stream's leave with them before its first event."""
    arrived = request.environ.get(ARRIVED, time.monotonic())
    response.headers["OpenAI-Processing-Ms"] = str(round((time.monotonic() - arrived) * 1000))
    response.headers["X-Request-Id"] = request.environ.get(REQUEST_ID, "")
    rate_limits.tell(response)
    metrics.note(response)
    if request.method == "OPTIONS" and response.status_code == 200:
        # Flask's own answer: the Allow header, and no body that could have a type.
        response.status_code = 204
        del response.headers["Content-Type"]
        del response.headers["Content-Length"]
    secure = request.is_secure or current_app.extensions[EXTENSION].settings.behind_tls
    security_headers.tell(response, secure=secure)
    return response

"""Metrics: what is counted of each request, and `GET /metrics` for Prometheus."""

import hmac
import time

from flask import Blueprint, Response, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from api.context import ARRIVED, TENANT, services
from api.openapi.operation import Answer, Operation, documented
from api.principal import given_key
from routing.errors import Unauthenticated
from workers.metrics import metric
from workers.metrics.exposition import exposition
from workers.queues import BACKGROUND, provider_queue

blueprint = Blueprint("metrics", __name__)

# For so long an answer is given again: however many ask, Redis is read no more often.
_FRESH_S = 1.0
_last: tuple[float, bytes] = (-_FRESH_S, b"")


@blueprint.get("/metrics")
@documented(
    Operation(
        tag="Health",
        summary="Read all metrics in Prometheus's text format",
        answers=(Answer(200, "All of them.", {"text/plain": {"type": "string"}}),),
        key=False,
    )
)
def metrics() -> Response:
    """The same from every API process. With MODEL_ROUTER_METRICS_KEY set, only for who sends it as a Bearer key."""
    global _last  # noqa: PLW0603 (one process, one answer)
    parts = services()
    wanted = parts.settings.metrics_key
    if wanted and not hmac.compare_digest(given_key().encode("utf-8", "surrogatepass"), wanted.encode()):
        raise Unauthenticated("metrics need the key of MODEL_ROUTER_METRICS_KEY as `Authorization: Bearer KEY`")
    now = time.monotonic()
    if now - _last[0] >= _FRESH_S:
        rows = parts.directory.current.configuration.providers.values()
        queues = [*(provider_queue(row.name) for row in rows if row.enabled), *BACKGROUND]
        _last = (now, exposition(parts.redis, parts.settings.key_prefix, queues))
    return Response(_last[1], content_type=CONTENT_TYPE_PLAIN_0_0_4)


def note(response: Response) -> None:
    """Count the request that is answered. Routes are told by their rule: whoever makes up paths makes no series."""
    rule = request.url_rule
    route = "none" if rule is None else rule.rule
    meter = services().meter
    tenant = request.environ.get(TENANT, "")
    meter.count(metric.HTTP_REQUESTS, (route, request.method, str(response.status_code), tenant))
    arrived = request.environ.get(ARRIVED)
    if arrived is not None:
        meter.observe(metric.HTTP_DURATION, (route,), time.monotonic() - arrived)

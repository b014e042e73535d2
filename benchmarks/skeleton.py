"""The bare queue to compare with: Flask -> Celery on Redis, its defaults -> one gevent worker -> provider, and back.

No ledger, routing, limits or metrics. With SKELETON_RESULT_BACKEND set, the answer comes by Celery's result backend.
"""

import json
import os
from functools import cache
from typing import Any
from uuid import uuid4

import gevent
import redis
import requests
from celery import Celery
from flask import Flask, Response, request
from gevent.event import AsyncResult

# The broker's address is CELERY_BROKER_URL, which Celery reads by itself.
celery = Celery("skeleton", backend=os.environ.get("SKELETON_RESULT_BACKEND") or None)
# kombu's own 10 would lose acknowledgements, and with them answers, at 256 connections: the one default not kept.
celery.conf.broker_transport_options = {"max_connections": 1000}
celery.conf.redis_max_connections = 1000


@cache
def _store() -> Any:
    # redis-py's own timeout of 5 s would end the reader's wait.
    return redis.Redis.from_url(celery.conf.broker_url, socket_timeout=None)


@cache
def _session() -> requests.Session:
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=300))
    return session


@celery.task
def call_provider(call_id: str | None, reply_to: str | None, body: dict[str, object]) -> str | None:
    """Call the provider; push its answer to the API process that waits, or return it to the result backend."""
    answer = _session().post(os.environ["SKELETON_PROVIDER"], json=body, timeout=120).text
    if reply_to is None:
        return answer
    _store().lpush(reply_to, json.dumps([call_id, answer]))
    return None


def api() -> Flask:
    """The front end: one reply list and one reader greenlet per process."""
    app = Flask("skeleton")
    waiting: dict[str, AsyncResult] = {}
    reply_to = f"skeleton:{uuid4().hex}"

    def read_replies() -> None:
        while True:
            _, reply = _store().brpop([reply_to])
            call_id, answer = json.loads(reply)
            waiting.pop(call_id).set(answer)

    def answer_to(body: dict[str, object]) -> str:
        if celery.conf.result_backend:
            return str(call_provider.delay(None, None, body).get(timeout=120))
        call_id = uuid4().hex
        waiting[call_id] = answer = AsyncResult()
        call_provider.delay(call_id, reply_to, body)
        return str(answer.get(timeout=120))

    @app.post("/v1/chat/completions")
    def complete() -> Response:
        if request.headers.get("Authorization") != f"Bearer {os.environ['SKELETON_KEY']}":
            return Response('{"error": "unknown key"}', 401, mimetype="application/json")
        return Response(answer_to(request.get_json()), mimetype="application/json")

    gevent.spawn(read_replies)
    return app

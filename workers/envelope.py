"""Celery's message for one run of a job, as text with blanks to fill: what makes the ledger's scripts publishers.

The format is Celery's task message protocol 2 in kombu's Redis encoding; a test holds it against what Celery
itself publishes.
"""

import json

RUN_JOB = "workers.tasks.run_job"


def template() -> str:
    """The message with the blanks __JOB__, __EPOCH__, __QUEUE__ and __PRIORITY__."""
    arguments = json.dumps([["__JOB__", 0], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    message = {
        # kombu takes any body that is not marked base64 as it is.
        "body": arguments.replace("0]", "__EPOCH__]", 1),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": RUN_JOB,
            "id": "__JOB__",
            "root_id": "__JOB__",
            "parent_id": None,
            "group": None,
            "group_index": None,
            "eta": None,
            "expires": None,
            "retries": 0,
            "timelimit": [None, None],
            "argsrepr": "('__JOB__', __EPOCH__)",
            "kwargsrepr": "{}",
            "origin": "model-router",
            "ignore_result": True,
        },
        "properties": {
            "correlation_id": "__JOB__",
            "reply_to": "",
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "__QUEUE__"},
            "priority": 0,
            "body_encoding": "utf-8",
            "delivery_tag": "__JOB__.__EPOCH__",
        },
    }
    return json.dumps(message).replace('"priority": 0', '"priority": __PRIORITY__', 1)

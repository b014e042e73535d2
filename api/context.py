"""The way from a request to its process's services."""

from typing import cast

from flask import current_app

from api.services import Services

EXTENSION = "model_router"
# Where in its environment a request keeps its id.
REQUEST_ID = "model_router.request_id"
# When it arrived, monotonic seconds.
ARRIVED = "model_router.arrived"

# The tenant whose key it came with, once that was looked up.
TENANT = "model_router.tenant"


def services() -> Services:
    """The services of the process that serves this request."""
    return cast("Services", current_app.extensions[EXTENSION])

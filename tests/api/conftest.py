"""The application's description of itself, which needs no store and no configuration."""

import json

import pytest

from api.app import create_app
from tests.support.services import bare_services


@pytest.fixture(scope="session")
def app():
    """The application with its routes; nothing behind them."""
    return create_app(bare_services())


@pytest.fixture(scope="session")
def document(app):
    """What GET /openapi.json answers with."""
    return json.loads(app.test_client().get("/openapi.json").data)

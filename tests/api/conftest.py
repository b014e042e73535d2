"""The application's description of itself, which needs no store and no configuration."""

import json
from dataclasses import fields

import pytest

from api.app import create_app
from api.services import Services
from config.settings import Settings


@pytest.fixture(scope="session")
def app():
    """The application with its routes; nothing behind them."""
    return create_app(Services(Settings(), *[None] * (len(fields(Services)) - 1)))


@pytest.fixture(scope="session")
def document(app):
    """What GET /openapi.json answers with."""
    return json.loads(app.test_client().get("/openapi.json").data)

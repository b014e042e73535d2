"""Services with nothing behind them, for tests of what the routes say of themselves."""

from dataclasses import fields

from api.services import Services
from config.settings import Settings
from workers.metrics.meter import Meter


def bare_services() -> Services:
    """Only what every request touches."""
    return Services(**{**{field.name: None for field in fields(Services)}, "settings": Settings(), "meter": Meter()})

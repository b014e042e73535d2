"""Services with nothing behind them, for tests of what the routes say of themselves."""

from dataclasses import fields

from api.services import Services
from config.settings import Settings
from workers.metrics.meter import Meter


def bare_services(settings: Settings | None = None) -> Services:
    """Only what every request touches."""
    nothing = {field.name: None for field in fields(Services)}
    return Services(**{**nothing, "settings": settings or Settings(), "meter": Meter()})

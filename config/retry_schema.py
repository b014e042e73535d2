"""The shape of policies/retry.json: checks it and makes a RetryConfig. Every field is optional."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from config.fields import Number, StrictSchema, Text, Whole
from config.retry import RetryConfig


class RetrySchema(StrictSchema):
    """The settings of the retry budgets."""

    budget_percent = Number(0, 1000)
    budget_reserve = Whole(0, 1_000_000)
    budget_window_s = Number(0.1, 3600)
    description = Text(load_default="")


def retry_config(data: Mapping[str, Any]) -> RetryConfig:
    """The settings a file's object describes; ValidationError where its shape is wrong."""
    loaded = RetrySchema().load(data)
    del loaded["description"]
    settings: dict[str, Any] = {name: float(v) if isinstance(v, Decimal) else v for name, v in loaded.items()}
    return RetryConfig(**settings)

"""The shape of models.json: what a caller may ask for, and the equivalent deployments behind it."""

from collections.abc import Mapping
from typing import Any

from config.fields import Table, Words
from config.provider import MODEL_NAME


def aliases_of(data: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Alias -> deployments, each "provider/model"; ValidationError where a name is none or a list is empty."""
    deployments = Words("deployment (provider/model)", MODEL_NAME, least=1)
    return Table("model name", MODEL_NAME, deployments).read(data)

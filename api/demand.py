"""A validated request of any surface, on its way to a job."""

from dataclasses import dataclass, field
from typing import Any

from workers.surfaces.base import Surface


@dataclass(frozen=True, slots=True)
class Demand:
    """What a caller wants, in whichever form it was asked.

    `body` goes to a provider's adapter, with the router's own options beside; `echo` is what of the original request
    the answer needs.
    """

    surface: Surface
    body: dict[str, Any]
    echo: dict[str, Any] = field(default_factory=dict)

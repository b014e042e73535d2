"""A validated request of any surface, on its way to a job."""

from dataclasses import dataclass, field
from typing import Any

from routing.request import RoutingRequest
from workers.surfaces.base import Endpoint, Surface


@dataclass(frozen=True, slots=True)
class Demand:
    """What a caller wants, in whichever form it was asked.

    `body` goes to a provider's adapter, with the router's own options beside; `echo` is what of the original request
    the answer needs.
    """

    surface: Surface
    body: dict[str, Any]
    echo: dict[str, Any] = field(default_factory=dict)

    def wanted(self) -> RoutingRequest:
        """What routing needs to know of it."""
        if self.surface.endpoint is Endpoint.EMBEDDINGS:
            return RoutingRequest.from_embeddings(self.body)
        return RoutingRequest.from_body(self.body)

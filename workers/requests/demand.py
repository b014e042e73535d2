"""A validated request of any surface, on its way to a job."""

from dataclasses import dataclass, field, replace
from typing import Any

from routing.plan import Plan
from routing.request import RESPONSES, RoutingRequest
from workers.surfaces.base import Endpoint, Surface
from workers.surfaces.responses_native import Native, outline


@dataclass(frozen=True, slots=True)
class Demand:
    """What a caller wants, in whichever form it was asked.

    `body` goes to a provider's adapter, with the router's own options beside; `echo` is what of the original request
    the answer needs.
    """

    surface: Surface
    body: dict[str, Any]
    echo: dict[str, Any] = field(default_factory=dict)
    # Of a response: what a provider's own Responses endpoint is told.
    native: Native | None = None

    def wanted(self) -> RoutingRequest:
        """What routing needs to know of it."""
        if self.surface.endpoint is Endpoint.EMBEDDINGS:
            return RoutingRequest.from_embeddings(self.body)
        native = self.native
        if native is None:
            return RoutingRequest.from_body(self.body)
        body = self.body
        if native.needed_by:
            items = self.echo["input"] if native.items is None else native.items
            body = outline(body, native.to_wire(), items)
        return replace(RoutingRequest.from_body(body), responds=True, responses_field=native.needed_by)

    def echo_for(self, plan: Plan) -> dict[str, Any]:
        """`echo` as it is kept with a job of `plan`: what a Responses endpoint is told, where it may go to one."""
        if self.native is None or not any(RESPONSES in each.deployment.endpoints for each in plan.candidates):
            return self.echo
        return {**self.echo, "native": self.native.to_wire()}

"""What becomes of a job when its caller goes before it is answered."""

from dataclasses import dataclass

import structlog
from flask import Response, request

from api.principal import Principal
from routing.errors import StoreUnavailable
from workers.ledger.ledger import Ledger
from workers.requests.demand import Demand

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Departure:
    """It is cancelled unless it was meant to be come back for; `on_disconnect` is "cancel" or "detach"."""

    job_id: str
    tenant: str
    on_disconnect: str

    @classmethod
    def of_request(cls, job_id: str, principal: Principal, demand: Demand) -> "Departure":
        """As the request's body says, else its Idempotency-Key: who has one can come back."""
        meant = demand.body.get("on_disconnect") or ("detach" if "Idempotency-Key" in request.headers else "cancel")
        return cls(job_id, principal.tenant_id, meant)

    def happen(self, ledger: Ledger) -> Response:
        """Cancel the job or let it go on. Nobody reads the response."""
        log.info("request.caller_gone", job_id=self.job_id, on_disconnect=self.on_disconnect)
        if self.on_disconnect == "cancel":
            try:
                ledger.cancel(self.job_id, self.tenant)
            except StoreUnavailable:
                log.warning("request.not_cancelled", job_id=self.job_id, why="the job store is away; the job goes on")
        # The status that proxies log for a closed request.
        return Response(status=499)

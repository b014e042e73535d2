"""What of a worker's doings is counted, and under which labels."""

from collections.abc import Callable

from config.configuration import Configuration
from routing.job import AttemptStatus, JobStatus, Usage
from workers.metrics import history, metric
from workers.metrics.meter import OTHER, Meter
from workers.run import Run


class Instruments:
    """Reads runs. Models that no configuration lists are counted as one: callers may make up any."""

    def __init__(self, meter: Meter, configuration: Callable[[], Configuration]) -> None:
        self.meter = meter
        self._configuration = configuration
        self._known_of: Configuration | None = None
        self._known: frozenset[str] = frozenset()

    def ran(self, run: Run) -> None:
        """A run is over: its calls."""
        for attempt in run.attempts:
            model = self._model(attempt.provider, attempt.model)
            failed = attempt.status is AttemptStatus.FAILED
            outcome = (attempt.error or "").partition(":")[0] if failed else attempt.status.value
            self.meter.count(metric.ATTEMPTS, (attempt.provider, model, outcome))
            if attempt.status is AttemptStatus.COMPLETED:
                self.meter.observe(metric.CALL_DURATION, (attempt.provider, model), attempt.duration_ms / 1000)
        for deployment, after_s in run.first_words:
            model = self._model(deployment.provider, deployment.model)
            self.meter.observe(metric.FIRST_TOKEN, (deployment.provider, model), after_s)

    def ended(self, run: Run, status: JobStatus, usage: Usage, cost_microusd: int) -> None:
        """A run has ended its job."""
        deployment, meter = run.candidate.deployment, self.meter
        place = (deployment.provider, self._model(deployment.provider, deployment.model), self.tenant(run.job.tenant))
        meter.observe(metric.JOB_DURATION, (deployment.provider, status.value), run.age_s)
        meter.observe(metric.QUEUE_DURATION, (deployment.provider,), run.job.queue_ms / 1000)
        meter.count(metric.TOKENS, ("input", *place), usage.prompt_tokens)
        meter.count(metric.TOKENS, ("cached_input", *place), usage.cached_tokens)
        meter.count(metric.TOKENS, ("output", *place), usage.completion_tokens)
        meter.count(metric.TOKENS, ("reasoning", *place), usage.reasoning_tokens)
        meter.count(metric.COST, place, cost_microusd / 1_000_000)
        meter.observe(history.ENDED, (run.job.tenant, deployment.provider, status.value), run.age_s)
        meter.count(history.SPENT, (run.job.tenant, deployment.provider), cost_microusd / 1_000_000)

    def tenant(self, tenant_id: str) -> str:
        """The label of a tenant; one of those that want no metrics of their own is among the others."""
        tenant = self._configuration().tenants.get(tenant_id)
        return tenant_id if tenant is None or tenant.features.metrics else OTHER

    def _model(self, provider: str, model: str) -> str:
        configuration = self._configuration()
        if configuration is not self._known_of:
            self._known_of, self._known = configuration, _deployments(configuration)
        return model if f"{provider}/{model}" in self._known else OTHER


def _deployments(configuration: Configuration) -> frozenset[str]:
    """All that the configuration names, as provider/model."""
    rows = (f"{row.name}/{model}" for row in configuration.providers.values() for model in row.models)
    return frozenset((*rows, *(target for targets in configuration.aliases.values() for target in targets)))

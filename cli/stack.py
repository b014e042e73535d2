"""Which processes a whole stack on one machine is made of. Starting them is the supervisor's."""

from cli.api import api_argv
from cli.beat import beat_argv
from cli.flower import flower_argv
from cli.flower_password import flower_environment
from cli.ports import PortNeed
from cli.process import ProcessSpec, StopOrder
from cli.readiness import Readiness, accepts, alive_for, http_answers, logged
from cli.sandbox import sandbox_argv
from cli.worker import background_worker_argv, provider_worker_argv, worker_environment
from config.configuration import Configuration
from config.settings import Settings
from workers.queues import BACKGROUND

# What stands in for "ready" where the log level hides the line that says so.
_UNSEEN_READY_S = 3.0


def needs_sandbox(settings: Settings, configuration: Configuration) -> bool:
    """Whether the stack must bring its own sandbox: it is wanted, and does not run elsewhere."""
    return configuration.sandbox and settings.sandbox_url is None


def port_needs(settings: Settings, configuration: Configuration) -> list[PortNeed]:
    """The ports the stack will listen on."""
    needs = [
        PortNeed("the API", "PORT", settings.host, settings.port),
        PortNeed("Flower", "FLOWER_PORT", settings.flower_host, settings.flower_port),
    ]
    if settings.admin_port is not None:
        needs.append(PortNeed("the admin API", "MODEL_ROUTER_ADMIN_PORT", settings.admin_host, settings.admin_port))
    if needs_sandbox(settings, configuration):
        needs.append(PortNeed("the sandbox", "MODEL_ROUTER_SANDBOX_PORT", settings.sandbox_host, settings.sandbox_port))
    return needs


def sandbox_spec(settings: Settings) -> ProcessSpec:
    """The sandbox providers."""
    return ProcessSpec(
        name="sandbox",
        argv=sandbox_argv(settings),
        stop_order=StopOrder.SANDBOX,
        ready=accepts(reachable_host(settings.sandbox_host), settings.sandbox_port),
        environment=settings.child_environment(),
    )


def serving_specs(settings: Settings, configuration: Configuration) -> list[ProcessSpec]:
    """The API and the workers: what a completion goes through."""
    workers = [
        ProcessSpec(
            name=f"worker-{provider.name}",
            argv=provider_worker_argv(settings, provider),
            stop_order=StopOrder.WORKER,
            ready=_logged_if_seen(settings, " ready."),
            grace_s=settings.drain_s,
            environment=worker_environment(settings, provider),
        )
        for provider in configuration.providers.values()
        if provider.is_called
    ]
    background = ProcessSpec(
        name="worker-background",
        argv=background_worker_argv(settings, BACKGROUND),
        stop_order=StopOrder.WORKER,
        ready=_logged_if_seen(settings, " ready."),
        grace_s=settings.drain_s,
        environment=settings.child_environment(),
    )
    api = ProcessSpec(
        name="api",
        argv=api_argv(),
        stop_order=StopOrder.API,
        ready=http_answers(f"{api_url(settings)}/health"),
        grace_s=settings.drain_s,
        environment=settings.child_environment(),
    )
    return [api, *workers, background]


def auxiliary_specs(settings: Settings) -> list[ProcessSpec]:
    """The scheduler and Flower, which no completion waits for."""
    beat = ProcessSpec(
        name="beat",
        argv=beat_argv(settings),
        stop_order=StopOrder.AUXILIARY,
        ready=_logged_if_seen(settings, "beat: Starting"),
        environment=settings.child_environment(),
    )
    flower = ProcessSpec(
        name="flower",
        argv=flower_argv(settings),
        stop_order=StopOrder.AUXILIARY,
        ready=accepts(reachable_host(settings.flower_host), settings.flower_port),
        environment=flower_environment(settings),
    )
    return [beat, flower]


def api_url(settings: Settings) -> str:
    """The API's root URL as this machine reaches it."""
    return f"http://{_url_host(settings.host)}:{settings.port}"


def flower_url(settings: Settings) -> str:
    """Flower's root URL as this machine reaches it."""
    return f"http://{_url_host(settings.flower_host)}:{settings.flower_port}"


def reachable_host(host: str) -> str:
    """The address to connect to for a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read here, not bound


def _url_host(host: str) -> str:
    reachable = reachable_host(host)
    return f"[{reachable}]" if ":" in reachable else reachable


def _logged_if_seen(settings: Settings, text: str) -> Readiness:
    return logged(text) if settings.log_level in ("debug", "info") else alive_for(_UNSEEN_READY_S)

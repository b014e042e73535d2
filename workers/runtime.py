"""What one worker process is made of, built once and shared by its greenlets."""

import random
from dataclasses import dataclass
from functools import cache

from config.live import LiveConfiguration
from config.settings import Settings
from routing.store import SnapshotReader
from workers import redis_client
from workers.call import Calls
from workers.checks import Checks
from workers.concurrency import AdaptiveConcurrency
from workers.executor import Executor
from workers.hedging import Hedging
from workers.leases import Leases
from workers.ledger.ledger import Ledger
from workers.ledger.permits import ConfiguredLimits
from workers.loops import keep_running
from workers.metrics.instruments import Instruments
from workers.metrics.meter import Meter
from workers.own_keys.sealing import Sealing
from workers.own_keys.upstreams import OwnUpstreams
from workers.pipeline import CommandPipeline
from workers.relay import Relay
from workers.release import Release
from workers.rescue import Rescue
from workers.retry_budgets import RetryBudgets
from workers.revocations import Revocations
from workers.storage import Storage
from workers.upstreams import Upstreams
from workers.webhooks.courier import Deliveries
from workers.webhooks.subjects import subjects_of


@dataclass(frozen=True, slots=True)
class Runtime:
    """The process's parts, wired together."""

    settings: Settings
    configuration: LiveConfiguration
    ledger: Ledger
    leases: Leases
    concurrency: AdaptiveConcurrency
    executor: Executor
    relay: Relay
    deliveries: Deliveries
    storage: Storage
    meter: Meter
    # None in a process that serves no provider.
    checks: Checks | None

    @classmethod
    def build(cls, settings: Settings) -> "Runtime":
        """Wire the parts; raises ConfigurationError or SettingError. Connects to nothing yet."""
        configuration = LiveConfiguration(settings)
        pipeline = CommandPipeline(redis_client.connect(settings.resolve_redis_url()))
        limits = ConfiguredLimits(lambda: configuration.current)
        ledger = Ledger(pipeline, settings, lambda: configuration.current.breaker, limits.words)
        leases = Leases(ledger, settings.heartbeat_s)
        upstreams = Upstreams(lambda: configuration.current)
        concurrency = AdaptiveConcurrency()
        budgets = RetryBudgets(lambda: configuration.current.retry)
        rng = random.Random()  # noqa: S311 (jitter, not secrets)
        sealing = Sealing(settings.encryption_keys)
        calls = Calls(
            upstreams, OwnUpstreams(lambda: configuration.current, upstreams, ledger.own_keys, sealing), concurrency
        )
        relay = Relay(ledger.streams, leases.revoke)
        meter = Meter()
        instruments = Instruments(meter, lambda: configuration.current)
        hedging = Hedging(ledger, calls, budgets)
        executor = Executor(ledger, leases, calls, hedging, budgets, relay, rng, instruments)
        deliveries = Deliveries(ledger, settings, lambda: configuration.current, subjects_of(ledger), meter)
        checks = _checks(settings, ledger, upstreams)
        storage = Storage(settings.files_place)
        return cls(
            settings,
            configuration,
            ledger,
            leases,
            concurrency,
            executor,
            relay,
            deliveries,
            storage,
            meter,
            checks,
        )

    def start(self, rescue: Rescue) -> None:
        """Start the process's own loops: heartbeat, rescue, release, checks and the watch on the configuration."""
        self.configuration.start()
        keep_running(self.leases.run)
        keep_running(rescue.run)
        keep_running(Release(self.ledger).run)
        keep_running(self._revocations().run)
        self.relay.start()
        if self.checks is not None:
            keep_running(self.checks.run)

    def _revocations(self) -> Revocations:
        client = redis_client.connect(self.settings.resolve_redis_url(), blocking=True)
        return Revocations(client, self.leases, self.settings.key_prefix)


def _checks(settings: Settings, ledger: Ledger, upstreams: Upstreams) -> Checks | None:
    if settings.worker_provider is None:
        return None
    return Checks(
        ledger,
        upstreams,
        SnapshotReader(redis_client.connect(settings.resolve_redis_url()), settings.key_prefix),
        provider=settings.worker_provider,
        interval_s=settings.health_check_interval_s,
        rng=random.Random(),  # noqa: S311 (spread, not secrets)
    )


@cache
def current() -> Runtime:
    """The runtime of this process."""
    return Runtime.build(Settings.from_environment())

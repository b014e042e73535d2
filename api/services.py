"""What one API process is made of, built once and shared by its greenlets."""

import random
from dataclasses import dataclass

from redis import Redis

from api.waiters import Waiters
from config.live import LiveConfiguration
from config.settings import Settings
from routing.store import SnapshotReader
from workers import redis_client
from workers.access.book import AccessBook
from workers.directory import Directory
from workers.ledger.ledger import Ledger
from workers.loops import keep_running
from workers.metrics.keeper import Keeper
from workers.metrics.meter import Meter
from workers.own_keys.directory import OwnKeyDirectory
from workers.own_keys.sealing import Sealing
from workers.pipeline import CommandPipeline
from workers.storage import Storage


@dataclass(frozen=True, slots=True)
class Services:
    """The process's parts, wired together. `directory` is what is derived from the configuration."""

    settings: Settings
    directory: Directory
    ledger: Ledger
    waiters: Waiters
    snapshots: SnapshotReader
    rng: random.Random
    storage: Storage
    # For what reads much at once, beside the ledger's own connection.
    redis: "Redis"
    meter: Meter
    own_keys: OwnKeyDirectory
    sealing: Sealing

    @classmethod
    def build(cls, settings: Settings) -> "Services":
        """Wire the parts and start their loops; raises ConfigurationError or SettingError. Redis may be away."""
        url = settings.resolve_redis_url()
        configuration = LiveConfiguration(settings)
        ledger = Ledger(CommandPipeline(redis_client.connect(url)), settings, lambda: configuration.current.breaker)
        waiters = Waiters(redis_client.connect(url, blocking=True), ledger, settings.key_prefix, settings.keep_alive_s)
        directory = Directory(configuration, settings, AccessBook(ledger.access))
        snapshots = SnapshotReader(redis_client.connect(url), settings.key_prefix, queues=directory.queues)
        storage = Storage(settings.files_place)
        client, meter = redis_client.connect(url), Meter()
        keep_running(Keeper(client, settings.key_prefix, meter).run)
        configuration.start()
        waiters.start()
        snapshots.start()
        keep_running(directory.run)
        own_keys = OwnKeyDirectory(ledger.own_keys, opens=bool(settings.encryption_keys))
        keep_running(own_keys.run)
        sealing = Sealing(settings.encryption_keys)
        rng = random.Random()  # noqa: S311 (spreads load, no secrets)
        return cls(settings, directory, ledger, waiters, snapshots, rng, storage, client, meter, own_keys, sealing)

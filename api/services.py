"""What one API process is made of, built once and shared by its greenlets."""

import random
from dataclasses import dataclass

from api.waiters import Waiters
from config.live import LiveConfiguration
from config.settings import Settings
from routing.store import SnapshotReader
from workers import redis_client
from workers.directory import Directory
from workers.ledger.ledger import Ledger
from workers.loops import keep_running
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
    own_keys: OwnKeyDirectory
    sealing: Sealing

    @classmethod
    def build(cls, settings: Settings) -> "Services":
        """Wire the parts and start their loops; raises ConfigurationError or SettingError. Redis may be away."""
        url = settings.resolve_redis_url()
        configuration = LiveConfiguration(settings)
        ledger = Ledger(CommandPipeline(redis_client.connect(url)), settings, lambda: configuration.current.breaker)
        waiters = Waiters(redis_client.connect(url, blocking=True), ledger, settings.key_prefix, settings.keep_alive_s)
        directory = Directory(configuration)
        snapshots = SnapshotReader(redis_client.connect(url), settings.key_prefix, queues=directory.queues)
        storage = Storage(settings.files_place)
        configuration.start()
        waiters.start()
        snapshots.start()
        own_keys = OwnKeyDirectory(ledger.own_keys, opens=bool(settings.encryption_keys))
        keep_running(own_keys.run)
        sealing = Sealing(settings.encryption_keys)
        rng = random.Random()  # noqa: S311 (spreads load, no secrets)
        return cls(settings, directory, ledger, waiters, snapshots, rng, storage, own_keys, sealing)

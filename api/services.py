"""What one API process is made of, built once and shared by its greenlets."""

import random
from dataclasses import dataclass

from api.waiters import Waiters
from config.live import LiveConfiguration
from config.settings import Settings
from routing.store import SnapshotReader
from workers import redis_client
from workers.access.book import AccessBook
from workers.directory import Directory
from workers.ledger.ledger import Ledger
from workers.loops import keep_running
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
        configuration.start()
        waiters.start()
        snapshots.start()
        keep_running(directory.run)
        return cls(settings, directory, ledger, waiters, snapshots, random.Random(), storage)  # noqa: S311

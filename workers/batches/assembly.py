"""What a process that serves the `batches` queue is made of beside its runtime."""

import random

from config.live import LiveConfiguration
from config.settings import Settings
from routing.store import SnapshotReader
from workers import redis_client
from workers.access.book import AccessBook
from workers.batches.ordering import LineOrdering
from workers.batches.pump import Pump
from workers.batches.run import Means
from workers.directory import Directory
from workers.ledger.ledger import Ledger
from workers.loops import keep_running
from workers.own_keys.directory import OwnKeyDirectory
from workers.storage import Storage


def make_pump(settings: Settings, configuration: LiveConfiguration, ledger: Ledger, storage: Storage) -> Pump:
    """The process's pump; what it reads of providers is kept up to date from now on."""
    directory = Directory(configuration, settings, AccessBook(ledger.access))
    keep_running(directory.run)
    client = redis_client.connect(settings.resolve_redis_url())
    snapshots = SnapshotReader(client, settings.key_prefix, queues=directory.queues)
    snapshots.start()
    rng = random.Random()  # noqa: S311 (spreads load, no secrets)
    own_keys = OwnKeyDirectory(ledger.own_keys, opens=bool(settings.encryption_keys))
    keep_running(own_keys.run)
    ordering = LineOrdering(directory, lambda: snapshots.current, rng)
    means = Means(ledger, storage, settings, directory, ordering, own_keys.on)
    return Pump(means, lambda: configuration.current, settings)

import os

import pytest

from benchmarks.measurement import measure
from benchmarks.stack import Stack

pytestmark = pytest.mark.integration


@pytest.mark.alone("measures one second of load, and all that Redis is sent meanwhile")
def test_the_skeleton_answers_and_is_measured_whole(tmp_path):
    """A second of load passes through API, Celery, Redis and provider without an error, and all of them are counted."""
    with Stack(tmp_path) as stack:
        provider = stack.provider()
        skeleton = stack.skeleton(provider)
        found = measure(skeleton, connections=8, number=1, warm_up_s=0.4, seconds=1.0)
        alone = measure(provider, connections=8, number=1, warm_up_s=0.2, seconds=0.3)
        pids = [process.popen.pid for process in skeleton.processes]
    assert found.summary.errors == alone.summary.errors == {}
    assert found.summary.requests > 0
    assert set(found.cpu_ms) == set(found.rss_bytes) == {"api", "worker", "redis", "provider"}
    # The skeleton runs no script: clients sent all there is, and each job was pushed and popped there and back.
    assert found.store.sent == found.store.commands
    assert found.store.by_command["lpush"] == pytest.approx(2, rel=0.2)
    assert alone.store is None
    assert not any(_group_exists(pid) for pid in pids)


def _group_exists(pid):
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True

import os

import pytest

from benchmarks.measurement import measure
from benchmarks.process import Process, StartError, python
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


def test_a_process_that_dies_at_its_start_is_reported_with_its_log(tmp_path):
    """The error names the role, the exit code and what the log says."""
    process = Process.start("api", python("-c", "raise SystemExit('no such setting')"), {}, tmp_path)
    with pytest.raises(StartError, match=r"(?s)api ended with code 1.*no such setting"):
        process.wait_for_port(9, limit_s=20)


def test_a_shells_own_settings_do_not_steer_what_is_measured(tmp_path, monkeypatch):
    """MODEL_ROUTER_* of the caller is not inherited; what the benchmark sets is."""
    monkeypatch.setenv("MODEL_ROUTER_LEASE_S", "1")
    show = "import os; print(os.environ.get('MODEL_ROUTER_LEASE_S'), os.environ['PORT'])"
    process = Process.start("api", python("-c", show), {"PORT": "1234"}, tmp_path)
    assert process.popen.wait(20) == 0
    assert process.log.read_text() == "None 1234\n"


def _group_exists(pid):
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True

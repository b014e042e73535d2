import os
import subprocess
import sys

import pytest

from benchmarks.usage import NoProcError, read_usage


@pytest.mark.integration
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_childs_cpu_counts_for_its_sessions_role():
    """CPU that only a child has spent, and memory of both, appear under the leader's role."""
    burn = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ninput()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as leader:
        try:
            assert leader.stdout.readline() == b"done\n"
            usage = read_usage({leader.pid: "worker"})
        finally:
            leader.stdin.close()
    assert usage.cpu_s["worker"] >= 0.3
    assert usage.rss_bytes["worker"] > 2 * 2**20
    assert set(usage.cpu_s) == {"worker"}
    assert os.getpid() not in usage.cpu_s


def test_a_name_with_spaces_and_parentheses_does_not_shift_the_fields(tmp_path):
    """/proc's fields are counted from the last parenthesis, not from the first."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "stat").touch()
    (tmp_path / "77").mkdir()
    fields = "S 1 70 70 0 -1 0 0 0 0 0 150 50 0 0 20 0 1 0 9 1000 12"
    (tmp_path / "77" / "stat").write_text(f"77 (tmux: (a) b) {fields}\n")
    usage = read_usage({70: "api"}, proc=tmp_path)
    assert usage.cpu_s == {"api": 200 / os.sysconf("SC_CLK_TCK")}
    assert usage.rss_bytes == {"api": 12 * os.sysconf("SC_PAGE_SIZE")}


def test_a_machine_without_proc_is_told_so(tmp_path):
    """Where there is no /proc the error says what is missing."""
    with pytest.raises(NoProcError, match="/proc"):
        read_usage({1: "api"}, proc=tmp_path)

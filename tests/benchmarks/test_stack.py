import pytest

from benchmarks.process import Process, StartError, python

pytestmark = pytest.mark.integration


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

import subprocess

import pytest
import redis

from benchmarks.counters import between, read_counters, sent_share
from cli.ports import free_port
from cli.redis_server import find_server
from tests.benchmarks.stopping import stopped


def test_commands_called_by_scripts_are_told_from_those_of_clients():
    """MONITOR names `lua` as the source of a script's commands; an argument that says so does not count."""
    monitored = (
        b"+OK\r\n"
        b'+1700000000.000001 [0 127.0.0.1:5000] "evalsha" "abc" "[0 lua]"\r\n'
        b'+1700000000.000002 [0 lua] "set" "a" "1"\r\n'
        b'+1700000000.000003 [0 lua] "set" "b" "] x"\r\n'
        b'+1700000000.000004 [0 unix:/tmp/s] "get" "a"\r\n'
        b"+17000"
    )
    assert sent_share(monitored) == 0.5
    assert sent_share(b"+OK\r\n") is None


@pytest.mark.integration
def test_work_between_two_readings_is_what_was_done(tmp_path):
    """Ten scripts of two commands each are thirty commands, whatever the server did before."""
    port = free_port()
    argv = [str(find_server()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with (
        stopped(subprocess.Popen(argv, stdout=subprocess.DEVNULL), port),
        redis.Redis(port=port) as client,
    ):
        client.set("before", 1)
        before = read_counters(client)
        for _ in range(10):
            client.eval("redis.call('set', 'a', 1) return redis.call('get', 'a')", 0)
        work = between(before, read_counters(client))
    # The first reading is counted when it is over.
    assert work.by_command == {"info": 1, "eval": 10, "set": 10, "get": 10}
    assert work.commands == 31

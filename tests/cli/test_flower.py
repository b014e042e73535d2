"""Flower: closed to whoever has not the password, which nobody is shown."""

import base64
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from cli.flower_password import flower_access
from config.settings import Settings
from tests.support.guard import guard

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def start(environment, free_ports, redis_node, wait_until):
    """Start Flower on a real Redis; its address and pid."""
    running = []

    def begin(**variables):
        settings = {**environment, **free_ports, "REDIS_URL": redis_node.url, **variables}
        process = subprocess.Popen([sys.executable, "-m", "cli", "flower"], cwd=ROOT, env=settings)
        running.append(process)
        guard().watch(process.pid)
        url = f"http://127.0.0.1:{settings['FLOWER_PORT']}"
        wait_until(lambda: status(url + "/healthcheck") is not None, timeout_s=40, what="Flower's start")
        return url, process.pid

    yield begin
    for process in running:
        process.kill()
        process.wait()
        guard().forget(process.pid)


def status(url, basic_auth=""):
    """The status of a GET; None where nobody listens."""
    request = urllib.request.Request(url)
    if basic_auth:
        request.add_header("Authorization", "Basic " + base64.b64encode(basic_auth.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return None


@pytest.mark.integration
def test_flower_asks_for_a_password_of_its_own(start, environment):
    """No page and no command without it; it is in a file that only its user reads, and in no argument list."""
    url, pid = start()
    file = Path(environment["MODEL_ROUTER_HOME"]) / "flower-password"
    password = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(password) >= 32
    for path in ("/", "/workers", "/tasks", "/broker", "/api/workers", "/api/tasks"):
        assert status(url + path) == 401
        assert status(url + path, "flower:wrong") == 401
    assert status(url + "/workers", f"flower:{password}") == 200
    assert password not in Path(f"/proc/{pid}/cmdline").read_text()


@pytest.mark.integration
def test_flower_takes_the_operators_password(start, environment):
    """FLOWER_BASIC_AUTH is what it asks for then, and no other is made."""
    url, _ = start(FLOWER_BASIC_AUTH="me:my-own")
    assert status(url + "/workers") == 401
    assert status(url + "/workers", "me:my-own") == 200
    assert not (Path(environment["MODEL_ROUTER_HOME"]) / "flower-password").exists()


def test_a_password_is_made_once(tmp_path):
    """The second start has the password of the first, and does not call it new; repr does not show it."""
    settings = Settings(home=tmp_path / "home")
    first, second = flower_access(settings), flower_access(settings)
    assert (first.made, second.made) == (True, False)
    assert first.basic_auth == second.basic_auth
    assert first.basic_auth not in repr(first)
    first.file.unlink()
    assert flower_access(settings).basic_auth != first.basic_auth

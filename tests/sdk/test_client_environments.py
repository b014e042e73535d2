"""How the third-party clients are installed, in a folder with a space in its name and without an index."""

import os
import shutil
import subprocess
import sys

import pytest

from config.settings import PROJECT_ROOT

LOCK = "an-absent-package==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"
EMPTY_LOCK = "# nothing\n"


@pytest.fixture
def install(tmp_path):
    """Install clients by the two locks given, where there is no Node; the process, and the folder."""
    folder = tmp_path / "a project"
    (folder / "tests" / "support").mkdir(parents=True)
    (folder / "tests" / "sdk" / "clients").mkdir(parents=True)
    source = PROJECT_ROOT / "tests" / "support" / "client_environments.py"
    shutil.copy(source, folder / "tests" / "support")

    def run(clients, litellm, **environment):
        (folder / "tests" / "sdk" / "clients" / "clients.lock").write_text(clients)
        (folder / "tests" / "sdk" / "clients" / "litellm.lock").write_text(litellm)
        own = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PATH": "", "CI": "", **environment}
        argv = [sys.executable, "-m", "tests.support.client_environments"]
        return subprocess.run(argv, cwd=folder, env=own, capture_output=True, text=True, check=False), folder

    return run


def test_a_failed_installation_names_its_log(install):
    """The user's own PIP_ variables count, and the end of pip's output is shown with where the rest is."""
    failed, folder = install(LOCK, EMPTY_LOCK)
    assert failed.returncode == 1
    assert "an-absent-package" in failed.stderr
    assert f"Its log: {folder / '.venv-clients' / 'clients.log'}" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_only_what_changed_is_made_again(install):
    """An environment whose lock is as it was stays; one that failed or changed is made anew."""
    install(LOCK, EMPTY_LOCK)
    again, _ = install(EMPTY_LOCK, EMPTY_LOCK)
    assert again.returncode == 0
    assert "Installing clients for the tests: clients\n" in again.stdout
    third, _ = install(EMPTY_LOCK, EMPTY_LOCK)
    assert (third.returncode, third.stdout) == (0, "")


def test_in_ci_no_client_is_left_out(install):
    """Without Node the installation fails where CI is set, before anything is installed."""
    failed, folder = install(EMPTY_LOCK, EMPTY_LOCK, CI="true")
    assert failed.returncode == 1
    assert "install Node 20 or newer" in failed.stderr
    assert not (folder / ".venv-clients").exists()

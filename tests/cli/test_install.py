"""The project's own environment, in a folder with a space in its name."""

import os
import subprocess
import sys

import pytest

from config.settings import PROJECT_ROOT

LOCK = "an-absent-package==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"


@pytest.fixture
def project(tmp_path):
    """A project with a lock file whose package nobody has."""
    folder = tmp_path / "a project"
    (folder / "cli").mkdir(parents=True)
    (folder / "cli" / "__init__.py").touch()
    (folder / "cli" / "install.py").write_text((PROJECT_ROOT / "cli" / "install.py").read_text())
    (folder / "Makefile").write_text((PROJECT_ROOT / "Makefile").read_text())
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\n")
    (folder / "requirements.lock").write_text(LOCK)
    return folder


def make(project, *arguments):
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(project), "MAKEFLAGS": ""}
    return subprocess.run(
        ["make", *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_a_failed_installation_names_its_log(project):
    """The user's own PIP_ variables count, the end of pip's output is shown, and the log is named."""
    failed = make(project, "install", f"PYTHON={sys.executable}")
    assert failed.returncode != 0
    assert "Installing 1 packages" in failed.stdout
    assert "an-absent-package" in failed.stderr
    assert f"Its log: {project / '.venv' / 'install.log'}" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_python_that_is_missing_is_one_line(project):
    """The line says what to install."""
    failed = make(project, "install", "PYTHON=python-of-nowhere")
    assert failed.returncode != 0
    assert "python-of-nowhere is not found: install Python 3.11 or newer" in failed.stderr


def test_a_python_that_is_too_old_is_one_line(project):
    """The line says which version it is."""
    old = project / "python"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    old.chmod(0o755)
    failed = make(project, "install", f"PYTHON={old}")
    assert failed.returncode != 0
    assert "is Python 3.9.2 and 3.11 or newer is needed" in failed.stderr

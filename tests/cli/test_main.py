"""The command itself: its help, its env file and its errors."""

import subprocess
import sys

import pytest

SERVICES = ("up", "api", "worker", "beat", "flower", "sandbox", "doctor")
COMMANDS = (*SERVICES, "plan", "jobs", "batch", "breaker", "webhooks")


def test_help_loads_neither_celery_nor_flask():
    """The command answers without loading what only its processes need."""
    code = (
        "import sys, cli.main; print([name for name in ('celery', 'flask', 'kombu', 'gevent') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_every_command_is_listed_with_a_whole_sentence(run):
    """The overview cuts no description off."""
    shown = run("--help").stdout
    for name in COMMANDS:
        line = next(line for line in shown.splitlines() if line.split()[:1] == [name])
        assert line.endswith(".")
        assert not line.endswith("...")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run, name):
    """Each command has help."""
    shown = run(name, "--help")
    assert shown.returncode == 0
    assert "Usage:" in shown.stdout


def test_a_setting_that_cannot_be_used_is_one_line(run):
    """A broken variable ends every command with a line that names it."""
    failed = run("api", PORT="many")
    assert failed.returncode == 1
    assert failed.stderr == "Error: PORT must be a number, not 'many'\n"


def test_an_env_file_fills_in(run, tmp_path):
    """Its variables count where the environment has none; comments and quotes are understood."""
    path = tmp_path / "variables"
    path.write_text("# a comment\n\nexport PORT='first'  \nFLOWER_PORT=second # why\n")
    assert "PORT must be a number, not 'first'" in run("--env-file", str(path), "beat").stderr
    assert "FLOWER_PORT must be a number, not 'second'" in run("--env-file", str(path), "beat", PORT="3000").stderr


def test_a_broken_env_file_is_one_line(run, tmp_path):
    """The line that cannot be read is named."""
    path = tmp_path / "variables"
    path.write_text("PORT=3000\nnonsense\n")
    assert run("--env-file", str(path), "beat").stderr == f"Error: {path}:2: expected NAME=value\n"

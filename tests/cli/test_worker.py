"""The worker command: what it runs, and what it refuses."""

import sys
from dataclasses import replace

import pytest

from cli.worker import background_worker_argv, provider_worker_argv, worker_environment
from config.provider import ProviderConfig
from config.settings import Settings

GROQ = ProviderConfig(name="groq", type="groq", endpoint="https://api.groq.com", concurrency=7)


def test_a_providers_worker():
    """Its own queue, its row's concurrency, and its name in the environment."""
    argv = provider_worker_argv(Settings(), GROQ)
    assert argv[:7] == (sys.executable, "-m", "celery", "-q", "-A", "workers.app", "worker")
    assert "-P gevent -c 7 -Q provider.groq -n groq@%h --without-gossip --without-mingle -l info" in " ".join(argv)
    assert "-E" not in argv
    assert worker_environment(Settings(), GROQ)["MODEL_ROUTER_WORKER_PROVIDER"] == "groq"


def test_task_events_are_opt_in():
    """Workers send task events only where the operator wants them."""
    assert "-E" in provider_worker_argv(replace(Settings(), task_events=True), GROQ)


def test_the_background_worker():
    """Several queues in one worker."""
    argv = background_worker_argv(Settings(), ("webhooks", "batches"))
    assert "-c 20 -Q webhooks,batches -n background@%h" in " ".join(argv)


@pytest.mark.parametrize(("name", "reason"), [("nobody", "is not in"), ("openai", "is disabled in")])
def test_a_provider_that_is_not_there(run, name, reason):
    """One line says so and lists those there are."""
    failed = run("worker", "--provider", name)
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1
    assert f"provider '{name}' {reason} providers.json; enabled are:" in failed.stderr
    assert "google-gemini, groq, hugging-face" in failed.stderr


@pytest.mark.parametrize("arguments", [(), ("--provider", "groq", "--queue", "webhooks"), ("--queue", "nonsense")])
def test_what_to_serve_must_be_said(run, arguments):
    """Neither, both or an unknown queue is a usage error."""
    failed = run("worker", *arguments)
    assert failed.returncode == 2
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("arguments", [("worker", "--provider", "groq"), ("api",)])
def test_a_storage_that_nothing_reaches(run, arguments):
    """One line names the setting and the package that is missing."""
    failed = run(*arguments, MODEL_ROUTER_FILES_URL="s3://bucket/files")
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1
    assert "MODEL_ROUTER_FILES_URL: s3:// needs the package s3fs" in failed.stderr

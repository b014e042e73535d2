"""The deployment files say the same as one another and as the code."""

import json
import os
import re
import shlex
import subprocess

import pytest
import yaml

from config.settings import PROJECT_ROOT

SETTINGS_NAMES = re.compile(
    r'"((?:MODEL_ROUTER_\w+|PORT|FLOWER_PORT|FLOWER_BASIC_AUTH|REDIS_URL|LOG_LEVEL|HEALTH_CHECK_INTERVAL))"'
)


@pytest.fixture(scope="module")
def procfile():
    """The Procfile's processes: name -> command."""
    lines = (PROJECT_ROOT / "Procfile").read_text().splitlines()
    pairs = [re.fullmatch(r"([A-Za-z0-9_-]+):\s*(.+)", line) for line in lines if line and not line.startswith("#")]
    assert all(pairs)
    return {pair[1]: shlex.split(pair[2]) for pair in pairs}


@pytest.fixture(scope="module")
def services():
    """The services of docker-compose.yml."""
    return yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text())["services"]


@pytest.fixture(scope="module")
def own(services):
    """Those of them that are the project's own processes."""
    return {name: service for name, service in services.items() if service.get("image") == "model-router"}


@pytest.fixture(scope="module")
def providers():
    """The shipped providers.json."""
    return json.loads((PROJECT_ROOT / "config" / "providers.json").read_text())


def test_compose_runs_the_procfiles_commands(procfile, own):
    """Beside what others have made, both start the same processes with the same commands."""
    composed = {name: shlex.split(service["command"]) for name, service in own.items()}
    assert composed == procfile


def test_every_enabled_provider_has_its_worker(procfile, providers):
    """The shipped configuration's queues are all served, and no worker is refused at its start."""
    served = {command[-1] for command in procfile.values() if "--provider" in command}
    assert served == {name for name, row in providers.items() if row["enabled"]}


def test_the_procfiles_commands_exist(procfile, run):
    """Each line is a command with options it knows."""
    for command in procfile.values():
        assert command[0] == "model-router"
        assert run(*command[1:], "--help").returncode == 0


def test_composes_redis_keeps_what_it_accepts(services, own):
    """It appends to a file on a volume, never evicts, and is waited for."""
    redis = services["redis"]
    assert "--appendonly yes" in redis["command"]
    assert "--maxmemory-policy noeviction" in redis["command"]
    assert redis["volumes"] == ["redis:/data"]
    assert all(service["depends_on"]["redis"]["condition"] == "service_healthy" for service in own.values())


def test_compose_opens_ports_to_this_machine_only(services):
    """Nothing is published beyond loopback unless the operator changes it, and Redis not at all."""
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert len(published) == 4
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_composes_grace_outlasts_the_drain(own):
    """Docker waits longer for a stop than a worker does for its jobs."""
    graces = {service["stop_grace_period"] for service in own.values()}
    assert {int(grace.removesuffix("s")) > 30 for grace in graces} == {True}


def test_monitoring_finds_what_it_is_told_of(services):
    """Prometheus and Grafana come when they are asked for, and every folder they read is there."""
    for name in ("prometheus", "grafana"):
        assert services[name]["profiles"] == ["monitoring"]
        folders = [volume.partition(":")[0] for volume in services[name]["volumes"] if volume.startswith("./")]
        assert folders
        assert all((PROJECT_ROOT / folder).is_dir() for folder in folders)
    prometheus = yaml.safe_load((PROJECT_ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    (job,) = prometheus["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["api:3000"]}]
    assert prometheus["rule_files"] == ["/etc/prometheus/rules.yml"]


def test_the_env_example_names_every_variable(providers):
    """Every setting and every shipped provider's key, each blank, and no other."""
    lines = (PROJECT_ROOT / ".env.example").read_text().splitlines()
    assigned = [line for line in lines if line and not line.startswith("#")]
    assert all(line.endswith("=") for line in assigned)
    settings = set(SETTINGS_NAMES.findall((PROJECT_ROOT / "config" / "settings.py").read_text()))
    keys = {row["api_key_env"] for row in providers.values() if row.get("api_key_env")}
    assert len(assigned) == len(set(assigned))
    # The worker command sets this one for the process it becomes.
    settings.remove("MODEL_ROUTER_WORKER_PROVIDER")
    assert {line.removesuffix("=") for line in assigned} == settings | keys


def test_every_variable_of_the_env_example_is_explained():
    """A comment stands over each group."""
    text = (PROJECT_ROOT / ".env.example").read_text()
    for group in re.split(r"\n(?=#)", text):
        assert group.startswith("#")


def test_the_dockerfile():
    """Dependencies are checked by hash, the process is no root, and its health is asked for."""
    text = (PROJECT_ROOT / "Dockerfile").read_text()
    assert "--require-hashes -r requirements.lock" in text
    assert re.search(r"^USER (?!root)\w+$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "/livez" in text
    assert text.count("FROM python:3.13-slim") == 2


def test_the_makefiles_targets():
    """`make` alone lists every target, and each of them can be made."""
    environment = {**os.environ, "MAKEFLAGS": ""}
    listed = subprocess.run(
        ["make"], cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    targets = re.findall(r"^  make (\S+)", listed, re.MULTILINE)
    parts = ("waiting", "streams", "routing", "plan", "batch", "faults", "limits")
    benches = ("bench", *(f"bench-{part}" for part in parts))
    assert {"run", "test", "check", "doctor", "lock", "clean", "golden", "help", *benches} == set(targets)
    for target in targets:
        subprocess.run(["make", "-n", target], cwd=PROJECT_ROOT, env=environment, capture_output=True, check=True)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_make_lock_writes_the_locks_by_their_own_headers(lock):
    """The command in each lock's header is the one `make lock` runs."""
    header = (PROJECT_ROOT / lock).read_text().splitlines()[1].removeprefix("#").split()
    shown = subprocess.run(
        ["make", "-n", "lock"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [".venv/bin/uv", *header[1:]] in [line.split() for line in shown]


@pytest.mark.parametrize(
    "name", ["Makefile", "Dockerfile", "requirements.lock", "requirements-dev.lock", "pyproject.toml"]
)
def test_no_file_names_a_registry(name):
    """Where packages come from is the user's own configuration."""
    text = (PROJECT_ROOT / name).read_text()
    assert not re.search(r"(?<!no-emit-)(index-url|find-links)|https?://(?!127\.0\.0\.1)", text)


def test_ci_runs_the_tests():
    """.ci/run is `make test` from the project's root, wherever it is called."""
    script = PROJECT_ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "exec make test"

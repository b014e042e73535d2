"""Kubernetes manifests and systemd units say the same as the Procfile, the settings and the routes."""

import configparser
import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from config.settings import PROJECT_ROOT, Settings

KUBERNETES = PROJECT_ROOT / "deploy" / "kubernetes"
SYSTEMD = PROJECT_ROOT / "deploy" / "systemd"
# Run by hand where they are wanted: they are no part of serving.
OPTIONAL = {"flower", "sandbox"}


@pytest.fixture(scope="module")
def procfile():
    lines = (PROJECT_ROOT / "Procfile").read_text().splitlines()
    return {name: shlex.split(command) for name, _, command in (line.partition(": ") for line in lines if line)}


@pytest.fixture(scope="module")
def manifests():
    return [document for file in sorted(KUBERNETES.glob("*.yaml")) for document in yaml.safe_load_all(file.read_text())]


@pytest.fixture(scope="module")
def deployments(manifests):
    return {found["metadata"]["name"]: found for found in manifests if found["kind"] == "Deployment"}


def container(deployment):
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    return found


def test_kubernetes_runs_the_procfiles_commands(procfile, deployments):
    """A deployment for each process that serves, with its command."""
    wanted = {name: command for name, command in procfile.items() if name not in OPTIONAL}
    assert {name: container(found)["args"] for name, found in deployments.items()} == wanted


def test_pods_are_nobody_and_drain(deployments):
    """No root, no privileges, a file system that is only read, and longer to stop than jobs are drained for."""
    for found in deployments.values():
        spec = found["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert container(found)["securityContext"]["readOnlyRootFilesystem"]
        assert container(found)["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert spec["terminationGracePeriodSeconds"] > Settings().drain_s
        assert container(found)["resources"]["limits"]["memory"]


def test_probes_ask_routes_that_there_are(deployments):
    """The API is asked whether it lives and whether it can accept jobs."""
    api = container(deployments["api"])
    assert api["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert api["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_the_environment_is_made_of_settings(manifests):
    """Every literal of the config map is a variable that the settings read."""
    (kustomization,) = (found for found in manifests if found["kind"] == "Kustomization")
    settings = (PROJECT_ROOT / "config" / "settings.py").read_text()
    for literal in kustomization["configMapGenerator"][0]["literals"]:
        assert f'"{literal.partition("=")[0]}"' in settings
    assert set(kustomization["resources"]) == {file.name for file in KUBERNETES.glob("*.yaml")} - {
        "kustomization.yaml",
        "autoscaling.yaml",
    }


def test_kubernetes_redis_keeps_what_it_accepts(manifests):
    """It appends, never evicts, has a volume, and only the project's pods reach it."""
    (redis,) = (found for found in manifests if found["kind"] == "StatefulSet")
    words = " ".join(container(redis)["args"])
    assert "--appendonly yes" in words
    assert "--maxmemory-policy noeviction" in words
    assert redis["spec"]["volumeClaimTemplates"]
    assert any(found["kind"] == "NetworkPolicy" for found in manifests)


def test_autoscaling_asks_for_a_metric_that_there_is(manifests, deployments):
    """Every provider's worker grows with the age of its own queue."""
    scaled = [found for found in manifests if found["kind"] == "ScaledObject"]
    for found in scaled:
        name = found["spec"]["scaleTargetRef"]["name"]
        assert name in deployments
        query = found["spec"]["triggers"][0]["metadata"]["query"]
        assert f'model_router_queue_oldest_age_seconds{{queue="{name.replace("worker-", "provider.", 1)}"' in query
    assert {found["metadata"]["name"] for found in scaled} == {
        name for name, found in deployments.items() if "--provider" in container(found)["args"]
    }


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on this machine")
def test_kustomize_renders_it(deployments):
    """What `kubectl apply -k` would send."""
    command = ["kubectl", "kustomize", KUBERNETES]
    rendered = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    kinds = [document["kind"] for document in yaml.safe_load_all(rendered.stdout)]
    assert kinds.count("Deployment") == len(deployments)
    assert "ConfigMap" in kinds


def units():
    return sorted(SYSTEMD.glob("*.service"))


@pytest.mark.parametrize("file", units(), ids=lambda file: file.name)
def test_units_run_the_procfiles_commands(procfile, file):
    """The same words behind `model-router`; stopped with time to drain, and without privileges."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(file)
    service = parser["Service"]
    command = ["model-router", *shlex.split(service["ExecStart"])[1:]]
    assert [word.replace("%i", "groq") for word in command] in procfile.values()
    assert int(service["TimeoutStopSec"]) > Settings().drain_s
    assert service["NoNewPrivileges"] == "yes"
    assert service["User"] == "model-router"
    assert parser["Unit"]["PartOf"] == "model-router.target"


def test_the_units_are_all_there():
    """Each process that serves has one, workers of providers a common one."""
    names = {"api", "background", "beat", "worker@"}
    assert {re.fullmatch(r"model-router-(.+)\.service", file.name)[1] for file in units()} == names


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
@pytest.mark.parametrize("file", units(), ids=lambda file: file.name)
def test_systemd_understands_the_units(file):
    """No key it does not know; that the program is not installed here is no fault of theirs."""
    told = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, timeout=60, check=False)
    assert "Unknown" not in told.stderr
    assert "Failed to parse" not in told.stderr

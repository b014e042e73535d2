"""The doctor, on real sockets and the shipped configuration."""

import json
import socket
import threading

import pytest

CANARY = "canary-5f2d9c71b0"


@pytest.fixture
def configuration(tmp_path):
    """Write a configuration folder with the given providers."""

    def write(providers):
        folder = tmp_path / "config"
        (folder / "policies").mkdir(parents=True)
        (folder / "tenants").mkdir()
        (folder / "providers.json").write_text(json.dumps(providers))
        (folder / "models.json").write_text("{}")
        (folder / "policies" / "routing.json").write_text(
            json.dumps({"balanced": {"strategy": "balanced", "weights": {"cost": 0.3, "latency": 0.4, "uptime": 0.3}}})
        )
        tenant = {"tenant_id": "default", "api_keys": [CANARY], "providers": {"enabled": list(providers)}}
        (folder / "tenants" / "default.json").write_text(json.dumps(tenant))
        return str(folder)

    return write


def row(name, endpoint):
    return {
        name: {
            "name": name,
            "type": "openai",
            "enabled": True,
            "endpoint": endpoint,
            "api_key_env": "SOME_KEY",
            "capabilities": ["chat"],
        }
    }


def findings(answer):
    told = json.loads(answer.stdout)
    return told["ok"], {(finding["area"], finding["subject"]): finding for finding in told["findings"]}


def test_a_fresh_machine_is_well(run, free_ports):
    """With no key and nothing running, all that `up` needs is there."""
    answer = run("doctor", "--json", **free_ports)
    well, found = findings(answer)
    assert well
    assert answer.returncode == 0
    assert "the sandbox stands in" in found["providers", "groq"]["detail"]
    assert "`model-router up` starts" in found["redis", "embedded"]["detail"]


def test_a_key_is_named_by_its_variable_and_never_shown(run, configuration, free_ports):
    """Keys in the environment, in an endpoint, in Redis's address or of a tenant appear in no output."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}/v1/{CANARY}?key={CANARY}"
        variables = {
            **free_ports,
            "MODEL_ROUTER_CONFIG": configuration(row("mine", endpoint)),
            "SOME_KEY": CANARY,
            "GROQ_API_KEY": CANARY,
            "REDIS_URL": f"redis://{CANARY}:{CANARY}@127.0.0.1:1/0",
        }
        answers = [run("doctor", **variables), run("doctor", "--json", **variables)]
    for answer in answers:
        assert "key SOME_KEY set" in answer.stdout
        assert CANARY not in answer.stdout + answer.stderr
        assert CANARY[:6] not in answer.stdout + answer.stderr
        assert str(len(CANARY)) + " char" not in answer.stdout


def test_keys_in_files_are_named_by_their_path(run, configuration, free_ports, tmp_path):
    """What is in them is not shown; one that cannot be read is a problem, by its variable and path."""
    file = tmp_path / "secret"
    file.write_text(CANARY)
    variables = {**free_ports, "MODEL_ROUTER_CONFIG": configuration(row("mine", "http://127.0.0.1:1/v1"))}
    answer = run("doctor", **variables, SOME_KEY_FILE=str(file))
    assert f"key SOME_KEY in the file {file}" in answer.stdout
    assert CANARY not in answer.stdout + answer.stderr
    file.unlink()
    answer = run("doctor", **variables, SOME_KEY_FILE=str(file))
    assert answer.returncode == 1
    assert f"SOME_KEY_FILE: {file} cannot be read (No such file or directory)" in answer.stdout


def test_a_reachable_endpoint(run, configuration, free_ports):
    """A provider with a key whose endpoint answers is well."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        folder = configuration(row("mine", f"http://127.0.0.1:{server.getsockname()[1]}/v1"))
        well, found = findings(run("doctor", "--json", MODEL_ROUTER_CONFIG=folder, SOME_KEY="k", **free_ports))
    assert well
    assert found["providers", "mine"]["verdict"] == "ok"


def test_an_endpoint_that_is_away(run, configuration, free_ports):
    """A provider in use whose endpoint refuses is a problem with a remedy."""
    folder = configuration(row("mine", "http://127.0.0.1:1/v1"))
    answer = run("doctor", "--json", MODEL_ROUTER_CONFIG=folder, SOME_KEY="k", **free_ports)
    well, found = findings(answer)
    assert not well
    assert answer.returncode == 1
    assert "connection refused" in found["providers", "mine"]["detail"]
    assert found["providers", "mine"]["remedy"]


def test_an_endpoint_without_tls(run, configuration, free_ports, plain_server):
    """An https endpoint that speaks no TLS is a problem that says so."""
    folder = configuration(row("mine", f"https://127.0.0.1:{plain_server}/v1"))
    _, found = findings(run("doctor", "--json", MODEL_ROUTER_CONFIG=folder, SOME_KEY="k", **free_ports))
    assert "TLS" in found["providers", "mine"]["detail"]


@pytest.fixture
def plain_server():
    """The port of a server that answers every connection with plain HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def test_a_redis_that_is_away(run, free_ports):
    """REDIS_URL to nowhere is a problem."""
    well, found = findings(run("doctor", "--json", REDIS_URL="redis://127.0.0.1:1/0", **free_ports))
    assert not well
    assert found["redis", "REDIS_URL"]["verdict"] == "problem"


@pytest.mark.integration
def test_the_last_checks_are_told(run, free_ports, redis_node):
    """What the workers' checks found is shown of providers in use, with what to do about a refused key."""
    rows = {"groq": "misconfigured 1000 5.0 2 groq answered 401", "anthropic": "ok 1000 5.0 0 ", "gone": "ok 1 1.0 0 "}
    redis_node.client.hset("doctor:checks", mapping=rows)
    variables = {"REDIS_URL": redis_node.url, "MODEL_ROUTER_KEY_PREFIX": "doctor:", **free_ports}
    _, found = findings(run("doctor", "--json", **variables))
    told = {subject: finding for (area, subject), finding in found.items() if area == "last checks"}
    assert told.keys() == {"groq", "anthropic"}
    assert told["anthropic"]["verdict"] == "ok"
    assert "groq answered 401" in told["groq"]["detail"]
    assert "GROQ_API_KEY" in told["groq"]["remedy"]


@pytest.mark.integration
def test_a_redis_that_forgets(run, free_ports, forgetful_redis):
    """A Redis without append-only file that evicts is a problem, with both settings named."""
    well, found = findings(run("doctor", "--json", REDIS_URL=forgetful_redis, **free_ports))
    assert not well
    remedy = found["redis", "REDIS_URL"]["remedy"]
    assert "appendonly yes" in remedy
    assert "noeviction" in remedy


def test_a_port_in_use(run, free_ports):
    """A port that another server has is a problem naming its variable."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = str(server.getsockname()[1])
        well, found = findings(run("doctor", "--json", **{**free_ports, "PORT": taken}))
    assert not well
    assert "set PORT" in found["ports", f"PORT {taken}"]["remedy"]


@pytest.mark.parametrize(("variable", "value"), [("PORT", "many"), ("MODEL_ROUTER_CONFIG", "/nowhere")])
def test_what_cannot_be_read_is_a_problem(run, variable, value):
    """Broken settings and a missing configuration folder are findings, not stack traces."""
    answer = run("doctor", "--json", **{variable: value})
    well, _ = findings(answer)
    assert not well
    assert answer.returncode == 1
    assert answer.stderr == ""

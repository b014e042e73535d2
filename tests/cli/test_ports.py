"""The ports a stack needs, on real sockets."""

import socket

import pytest

from cli.ports import PortNeed, free_port, port_problems, why_not_free


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_in_use_is_one_line_naming_its_variable(address):
    """Also where the other server listens on every interface."""
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        problems = port_problems([PortNeed("the API", "PORT", "127.0.0.1", port)])
    assert problems == [f"the API: port {port} on 127.0.0.1 is in use: set PORT to a free one"]


def test_a_free_port_is_no_problem():
    """Nor are the closing connections of a server that is gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    assert why_not_free("127.0.0.1", port) is None


def test_two_needs_of_one_port():
    """Two variables with one value are told from a port that others use."""
    port = free_port()
    needs = [PortNeed("the API", "PORT", "127.0.0.1", port), PortNeed("Flower", "FLOWER_PORT", "127.0.0.1", port)]
    assert port_problems(needs) == [f"FLOWER_PORT and PORT are both {port}: give them different ports"]


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_an_address_of_another_machine(host):
    """An address that cannot be listened on is said to be one."""
    assert why_not_free(host, free_port()) == "is not an address of this machine"

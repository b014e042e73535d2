"""Which TCP ports a stack needs, and whether they are free."""

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PortNeed:
    """A port one of our processes will listen on, and the variable that sets it."""

    purpose: str
    variable: str
    host: str
    port: int


def port_problems(needs: Sequence[PortNeed]) -> list[str]:
    """One line for each need that cannot be met, naming the variable to change."""
    problems = []
    taken: dict[int, PortNeed] = {}
    for need in needs:
        if (other := taken.setdefault(need.port, need)) is not need:
            problems.append(f"{need.variable} and {other.variable} are both {need.port}: give them different ports")
            continue
        if (reason := why_not_free(need.host, need.port)) is not None:
            problems.append(
                f"{need.purpose}: port {need.port} on {need.host} {reason}: set {need.variable} to a free one"
            )
    return problems


def why_not_free(host: str, port: int) -> str | None:
    """None when a server could listen there now; otherwise the reason in words."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # Servers set it too: without it, connections just closed would count as a server.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            # Two sockets may be bound alike where both set the option, but only one may listen.
            probe.listen(1)
    except socket.gaierror:
        return "is not an address of this machine"
    except OSError as error:
        return _REASONS.get(error.errno or 0, f"cannot be used ({error.strerror})")
    return None


_REASONS = {
    errno.EADDRINUSE: "is in use",
    errno.EACCES: "may not be used by this user",
    errno.EADDRNOTAVAIL: "is not an address of this machine",
}


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port

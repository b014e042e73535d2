"""`python -m tests.support.client_environments`: third-party clients, in environments apart from the project's own.

LiteLLM wants another openai than the others do, and all of them bring packages that the product must not meet.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parents[2]
_SHOWN_LOG_LINES = 10


class InstallError(Exception):
    """An environment cannot be made; the message says what to do."""


class Environment(Protocol):
    """Clients that are installed together."""

    @property
    def name(self) -> str: ...

    @property
    def folder(self) -> Path:
        """What installing makes; it is deleted before it is made anew."""

    def wanted(self) -> str:
        """What the environment depends on, as its stamp has it."""

    def make(self) -> None:
        """Install; InstallError where that fails."""


@dataclass(frozen=True)
class PythonEnvironment:
    """Python clients by a lock file of tests/sdk/clients, for the Python that runs this."""

    name: str

    @property
    def folder(self) -> Path:
        return ROOT / ".venv-clients" / self.name

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def lock(self) -> Path:
        return ROOT / "tests" / "sdk" / "clients" / f"{self.name}.lock"

    def wanted(self) -> str:
        return _digest(f"{self.folder} {sys.version_info[:2]}", self.lock)

    def make(self) -> None:
        _run(self, [sys.executable, "-m", "venv", "--without-pip", self.folder])
        # The project's own pip does it: one less to set up, and the user's PIP_ variables and pip.conf count.
        pip = [sys.executable, "-m", "pip", "--python", self.bin / "python", "install"]
        _run(self, [*pip, "--no-compile", "--progress-bar", "off", "--require-hashes", "-r", self.lock])


@dataclass(frozen=True)
class NodeEnvironment:
    """npm clients by the lock file of tests/sdk/node."""

    name: str = "node"

    @property
    def folder(self) -> Path:
        return ROOT / "tests" / "sdk" / "node" / "node_modules"

    @property
    def is_possible(self) -> bool:
        return all(shutil.which(program) for program in ("node", "npm"))

    def wanted(self) -> str:
        return _digest(str(self.folder), *(self.folder.parent / file for file in ("package.json", "package-lock.json")))

    def make(self) -> None:
        _run(self, ["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund"], cwd=self.folder.parent)


CLIENTS = PythonEnvironment("clients")
LITELLM = PythonEnvironment("litellm")
NODE = NodeEnvironment()


def in_ci() -> bool:
    """Whether nothing may be left out here."""
    return bool(os.environ.get("CI"))


def stands(environment: Environment) -> bool:
    """Whether the environment is there, as its lock says."""
    stamp = environment.folder / ".stamp"
    return stamp.exists() and stamp.read_text() == environment.wanted()


def main() -> int:
    """Make what does not stand, all at once; 0 when everything stands."""
    environments: list[Environment] = [CLIENTS, LITELLM]
    if NODE.is_possible:
        environments.append(NODE)
    elif in_ci():
        print("node and npm are not found, and in CI no client is left out: install Node 20 or newer", file=sys.stderr)
        return 1
    missing = [environment for environment in environments if not stands(environment)]
    if not missing:
        return 0
    print("Installing clients for the tests:", ", ".join(environment.name for environment in missing), flush=True)
    begun = time.monotonic()
    with ThreadPoolExecutor(len(missing)) as pool:
        failures = [failure for failure in pool.map(_failure, missing) if failure]
    for failure in failures:
        print(failure, file=sys.stderr)
    if not failures:
        print(f"Installed clients in {time.monotonic() - begun:.0f} s", flush=True)
    return 1 if failures else 0


def _failure(environment: Environment) -> str | None:
    """Make an environment anew; what went wrong, if anything did."""
    shutil.rmtree(environment.folder, ignore_errors=True)
    _log(environment).unlink(missing_ok=True)
    try:
        environment.make()
    except InstallError as error:
        return str(error)
    (environment.folder / ".stamp").write_text(environment.wanted())
    return None


def _log(environment: Environment) -> Path:
    return ROOT / ".venv-clients" / f"{environment.name}.log"


def _run(environment: Environment, argv: list[str | Path], cwd: Path = ROOT) -> None:
    log = _log(environment)
    log.parent.mkdir(exist_ok=True)
    with log.open("a") as output:
        ran = subprocess.run(argv, cwd=cwd, stdout=output, stderr=subprocess.STDOUT, check=False)
    if ran.returncode != 0:
        ending = "".join(f"\n  | {line}" for line in log.read_text(errors="replace").splitlines()[-_SHOWN_LOG_LINES:])
        raise InstallError(f"installing {environment.name} failed:{ending}\nIts log: {log}")


def _digest(text: str, *files: Path) -> str:
    digest = hashlib.sha256(text.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest() + "\n"


if __name__ == "__main__":
    sys.exit(main())

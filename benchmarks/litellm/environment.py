"""LiteLLM in an environment of its own: it brings packages that the product must not meet."""

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import ROOT

LOCK = ROOT / "benchmarks" / "litellm" / "requirements.lock"
_SHOWN_LOG_LINES = 5


class InstallError(Exception):
    """The environment cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What a lock file names, installed in `folder` for the Python that runs this."""

    folder: Path = ROOT / ".venv-benchmarks" / "litellm"
    lock: Path = LOCK

    @property
    def bin(self) -> Path:
        """Where its programs are."""
        return self.folder / "bin"

    def ensure(self) -> None:
        """Make it anew unless it stands as its lock says; InstallError where that fails."""
        stamp = self.folder / ".stamp"
        wanted = self._wanted()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        print("Installing LiteLLM beside the project, once; about a minute", flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._run(sys.executable, "-m", "venv", "--without-pip", self.folder)
        # The project's own pip does it: one less to set up, and the user's PIP_ variables and pip.conf count.
        pip = (sys.executable, "-m", "pip", "--python", self.bin / "python", "install", "--progress-bar", "off")
        # Compiled whatever those say: modules that it imports late would be compiled while it is measured.
        self._run(*pip, "--compile", "--require-hashes", "-r", self.lock)
        stamp.write_text(wanted)

    def _wanted(self) -> str:
        digest = hashlib.sha256(f"{self.folder} {sys.version_info[:2]}".encode())
        digest.update(self.lock.read_bytes())
        return digest.hexdigest() + "\n"

    def _run(self, *argv: str | Path) -> None:
        log = self.folder.with_name(self.folder.name + ".log")
        with log.open("a") as output:
            ran = subprocess.run(argv, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False)
        if ran.returncode != 0:
            ending = "".join(
                f"\n  | {line}" for line in log.read_text(errors="replace").splitlines()[-_SHOWN_LOG_LINES:]
            )
            raise InstallError(f"pip could not install it:{ending}\nIts log: {log}")


def version(lock: Path = LOCK) -> str:
    """LiteLLM's version in the lock."""
    line = next(line for line in lock.read_text().splitlines() if line.startswith("litellm=="))
    return line.removeprefix("litellm==").partition(" ")[0]

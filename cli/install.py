"""`python -m cli.install LOCK`: the project's own environment in .venv, from a lock file. Standard library only."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The development lock holds all that the other one does, at the same versions.
COVERS = {
    "requirements.lock": ("requirements.lock",),
    "requirements-dev.lock": ("requirements-dev.lock", "requirements.lock"),
}
_SHOWN_LOG_LINES = 10


class InstallError(Exception):
    """The environment cannot be made; the message says what to do."""


def main(arguments: Sequence[str]) -> int:
    """Install the lock file named first; 0 when its environment stands."""
    if len(arguments) != 1 or arguments[0] not in COVERS:
        print(f"usage: python -m cli.install {' | '.join(COVERS)}", file=sys.stderr)  # noqa: T201 - a program's output
        return 2
    try:
        install(ROOT, arguments[0])
    except InstallError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a program's output
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def install(root: Path, lock: str) -> None:
    """Bring .venv to what `lock` says; nothing is done where its stamp says that it stands."""
    venv = root / ".venv"
    _ensure_venv(root, venv)
    wanted = _stamp(root, lock)
    stamp = venv / f"{lock}.stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    log = venv / "install.log"
    log.unlink(missing_ok=True)
    packages = sum("==" in line for line in (root / lock).read_text().splitlines() if line[:1].isalnum())
    say(f"Installing {packages} packages of {lock}; about half a minute the first time")
    begun = time.monotonic()
    _pip(root, log, "--require-hashes", "-r", lock)
    _pip(root, log, "--no-deps", "--no-build-isolation", "-e", ".")
    for covered in COVERS[lock]:
        (venv / f"{covered}.stamp").write_text(_stamp(root, covered))
    say(f"Installed in {time.monotonic() - begun:.0f} s")


def say(line: str) -> None:
    """One line of progress."""
    print(line, flush=True)  # noqa: T201 - a program's output


def _ensure_venv(root: Path, venv: Path) -> None:
    """Make .venv where there is none, or where it was made elsewhere or by another Python."""
    made_by = venv / "made-by"
    identity = f"{root}\n{sys.version_info[0]}.{sys.version_info[1]}\n"
    if made_by.exists() and made_by.read_text() == identity and _runs(venv):
        return
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise InstallError(
            f"{sys.executable} cannot make virtual environments: install its venv module "
            f"(Debian, Ubuntu: apt install python{version}-venv, or python3-venv)"
        )
    say(f"Creating .venv with Python {sys.version.split()[0]}")
    shutil.rmtree(venv, ignore_errors=True)
    made = subprocess.run(  # noqa: S603 - an argument list of our own, and no shell
        [sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise InstallError(f"creating {venv} failed:\n{made.stdout}{made.stderr}".rstrip())
    made_by.write_text(identity)


def _runs(venv: Path) -> bool:
    try:
        tried = subprocess.run([venv / "bin" / "python", "-c", "import pip"], capture_output=True, check=False)  # noqa: S603 - as above
    except OSError:
        return False
    return tried.returncode == 0


def _pip(root: Path, log: Path, *arguments: str) -> None:
    """Run pip's install, its output in `log` and a line of progress now and then."""
    argv = [str(root / ".venv" / "bin" / "python"), "-m", "pip", "install", "--progress-bar", "off", *arguments]
    with (
        log.open("a") as copy,
        subprocess.Popen(  # noqa: S603 - as above
            argv, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as pip,
    ):
        assert pip.stdout is not None
        found = 0
        for line in pip.stdout:
            copy.write(line)
            if line.startswith("Collecting "):
                found += 1
                if found % 20 == 0:
                    say(f"  {found} found")
            elif found and line.startswith("Installing collected"):
                say("  unpacking")
    if pip.returncode != 0:
        ending = "".join(f"\n  | {line}" for line in log.read_text(errors="replace").splitlines()[-_SHOWN_LOG_LINES:])
        raise InstallError(f"pip failed:{ending}\nIts log: {log}")


def _stamp(root: Path, lock: str) -> str:
    digest = hashlib.sha256()
    for name in ("pyproject.toml", lock):
        digest.update((root / name).read_bytes())
    return digest.hexdigest() + "\n"


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))

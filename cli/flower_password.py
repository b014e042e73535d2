"""Flower's password: the operator's own, or one that is made once and kept under HOME."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cli.private_file import write_private
from config.settings import Settings

USER = "flower"


@dataclass(frozen=True, slots=True)
class FlowerAccess:
    """How one gets in. `made`: the password was made by this call, and nobody has been told it yet."""

    # As FLOWER_BASIC_AUTH has it: user:password, several with commas.
    basic_auth: str = field(repr=False)
    # Where a password of our own is; None where the operator said one.
    file: Path | None = None
    made: bool = False


def flower_access(settings: Settings) -> FlowerAccess:
    """What Flower asks for; makes the password where there is none yet. Raises OSError."""
    if settings.flower_basic_auth:
        return FlowerAccess(settings.flower_basic_auth)
    file = settings.home / "flower-password"
    try:
        password, made = file.read_text().strip(), False
    except FileNotFoundError:
        password, made = "", False
    if not password:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        password, made = secrets.token_urlsafe(24), True
        write_private(file, password + "\n")
    return FlowerAccess(f"{USER}:{password}", file, made)


def flower_environment(settings: Settings) -> dict[str, str]:
    """Flower's environment: the password is here and not in its arguments, which all users of the machine see."""
    environment = settings.child_environment()
    if environment.get("FLOWER_AUTH"):
        # The operator has it ask an OAuth provider.
        return environment
    return {**environment, "FLOWER_BASIC_AUTH": flower_access(settings).basic_auth}

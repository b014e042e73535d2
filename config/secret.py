"""Secrets of the environment: in a variable, or in the file that the variable with `_FILE` behind it names."""

from collections.abc import Iterable, Mapping
from pathlib import Path

_FILE = "_FILE"
_MOST_BYTES = 65_536


class SecretFileError(ValueError):
    """A secret's file cannot be used; the message names the variable and the path, and nothing of what is in it."""


def secret_in(variable: str | None, environ: Mapping[str, str]) -> str | None:
    """The secret, stripped: what is in `variable`, else in the file that `{variable}_FILE` names.

    None where neither is set. SecretFileError where both are, or the file cannot be read, is empty or is no text.
    """
    if variable is None:
        return None
    given, path = environ.get(variable, "").strip(), file_of(variable, environ)
    if path is None:
        return given or None
    if given:
        raise SecretFileError(f"{variable} and {variable}{_FILE} are both set; set one of them")
    return _read(f"{variable}{_FILE}", path)


def file_of(variable: str, environ: Mapping[str, str]) -> Path | None:
    """The file that holds the secret of `variable`; None where it is not in a file."""
    path = environ.get(variable + _FILE, "").strip()
    return Path(path).expanduser() if path else None


def is_named(variable: str | None, environ: Mapping[str, str]) -> bool:
    """Whether the environment says where the secret is; a file is not looked into."""
    if variable is None:
        return False
    return bool(environ.get(variable, "").strip()) or file_of(variable, environ) is not None


def secret_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Every file that a variable with `_FILE` at its end names; some may be of others."""
    found = (file_of(name.removesuffix(_FILE), environ) for name in environ if name.endswith(_FILE))
    return tuple(path for path in found if path is not None)


def with_secrets(environ: Mapping[str, str], variables: Iterable[str]) -> Mapping[str, str]:
    """`environ`, with what is in the files of `variables` in their place; SecretFileError as `secret_in`."""
    read = {name: secret_in(name, environ) for name in variables if file_of(name, environ) is not None}
    return {**environ, **{name: secret for name, secret in read.items() if secret}} if read else environ


def _read(variable: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        # Without its cause, which quotes the content.
        raise SecretFileError(f"{variable}: {path} is not text") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise SecretFileError(f"{variable}: {path} cannot be read ({reason})") from None
    if not text:
        raise SecretFileError(f"{variable}: {path} is empty")
    if len(content) > _MOST_BYTES:
        raise SecretFileError(f"{variable}: {path} is larger than {_MOST_BYTES} bytes")
    return text

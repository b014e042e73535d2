"""From a URL to the code that reaches it: fsspec's own, or that of a package that must be installed."""

from typing import Any

import fsspec
from fsspec.registry import known_implementations

from config.settings import SettingError


def find_place(url: str) -> tuple[Any, str]:
    """The file system of `url`, and the folder in it; SettingError names the package that is missing."""
    scheme = url.partition("://")[0] if "://" in url else "file"
    try:
        fs, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        known = known_implementations.get(scheme, {})
        package = str(known.get("class", "")).partition(".")[0]
        wanted = f"the package {package}" if package and package != "fsspec" else str(known.get("err", error))
        raise SettingError(
            f"MODEL_ROUTER_FILES_URL: {scheme}:// needs {wanted}, which is not installed here: pip install it"
        ) from error
    except (ValueError, TypeError, OSError) as error:
        raise SettingError(f"MODEL_ROUTER_FILES_URL cannot be used: {error}") from error
    return fs, str(root).rstrip("/")

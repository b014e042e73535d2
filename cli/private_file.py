"""Files that only this user may read: what is in them is a secret."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Put `text` into `path`, all at once, with mode 0600."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)

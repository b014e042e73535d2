"""gunicorn's own lines, in the form of ours."""

from typing import Any

from gunicorn.glogging import Logger

from config import logs


class LogLines(Logger):  # type: ignore[misc]  # gunicorn has no annotations
    """gunicorn's logger with our formatter."""

    def setup(self, cfg: Any) -> None:
        """Set up as gunicorn does, and have lines written as ours are."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(logs.library_formatter())

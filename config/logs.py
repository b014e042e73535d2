"""Log lines of every process: structured, to stderr, readable on a terminal and JSON elsewhere.

Lines of Celery, gunicorn and other libraries have the same form, under the event `library`.
"""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor


def configure(level: str) -> None:
    """Set up structlog and the root logger at `level` (a name such as "info")."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_COMMON, _renderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(library_formatter())
    logging.basicConfig(level=number, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


def library_formatter() -> logging.Formatter:
    """What writes a library's record as one of our lines."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_of_library, *_COMMON],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer()],
    )


def _of_library(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The record's text is no event of ours."""
    record: logging.LogRecord = event["_record"]
    event["logger"], event["message"], event["event"] = record.name, event["event"], "library"
    return event


_COMMON: tuple[Processor, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def _renderer() -> Processor:
    if sys.stderr.isatty():
        # repr: what a caller sent must not move a terminal's cursor.
        return structlog.dev.ConsoleRenderer(repr_native_str=True)
    return structlog.processors.JSONRenderer(sort_keys=False)

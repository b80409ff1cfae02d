"""Logs: JSON lines in a pipe, readable on a terminal. Ids only, never a name or an address; a request's or event's ids travel in context variables."""

import logging
import sys

import structlog

from amont.common.tracing import trace_id


def configure(*, level: str = "INFO", json: bool | None = None) -> None:
    """Set structlog and the standard library's logging up, once per process. `json` None: JSON unless standard error is a terminal."""
    as_json = not sys.stderr.isatty() if json is None else json
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: structlog.typing.Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    tail: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, last] if as_json else [last]
    structlog.configure(
        processors=[*shared, *tail],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_drop_meta, *tail]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


def _add_trace(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The trace that a line belongs to."""
    found = trace_id()
    if found is not None:
        event["trace_id"] = found
    return event


_drop_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta

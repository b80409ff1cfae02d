"""Logs: JSON lines in a pipe, readable on a terminal. Ids only, never a name or an address; a request's or event's ids travel in context variables.

An exception is told by its type and where it was raised. Its own words stay out: they may quote what it was about (pydantic's do). What aiokafka says
hundreds of times a second while Kafka is away is told once in half a minute, with how often it was said.
"""

import logging
import sys
import time
import traceback
from collections import Counter

import structlog

from amont.common.tracing import trace_id

FOLDED_SECONDS = 30.0
"""How long the same sentence of a client library is not told again."""


def configure(*, level: str = "INFO", json: bool | None = None) -> None:
    """Set structlog and the standard library's logging up, once per process. `json` None: JSON unless standard error is a terminal."""
    as_json = not sys.stderr.isatty() if json is None else json
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _say_where,
    ]
    last: structlog.typing.Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Folding())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_drop_meta, last]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


class _Folding(logging.Filter):
    """Lets the same sentence of aiokafka's through once in `FOLDED_SECONDS`; of others everything. Sentences are the same when they differ in values alone."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[tuple[str, str], float] = {}
        self._folded: Counter[tuple[str, str]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("aiokafka"):
            return True
        said, now = (record.name, str(record.msg)), time.monotonic()
        if now < self._told.get(said, 0.0):
            self._folded[said] += 1
            return False
        self._told[said] = now + FOLDED_SECONDS
        if times := self._folded.pop(said, 0):
            record.msg = f"{record.msg} (and {times} times since this was last told)"
        return True


def _add_trace(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The trace that a line belongs to."""
    found = trace_id()
    if found is not None:
        event["trace_id"] = found
    return event


def _say_where(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The types of an exception and of what caused it, and the frames that it came through, innermost last."""
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    elif error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        chain = [error]
        while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
            chain.append(cause)
        event["error"] = " from ".join(type(one).__name__ for one in chain)
        event["raised_in"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    return event


_drop_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta

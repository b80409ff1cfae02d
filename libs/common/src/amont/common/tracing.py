"""Traces: one request or staff record can be followed through outbox, Kafka, reactions and due dates to the mail that it caused.

The context is W3C Trace Context (`traceparent`). HTTP takes it from the request; an event carries it in its outbox entry and in a header of its
record; what a due date brings continues the trace of whoever set the date, because the document keeps it. OpenTelemetry's SDK makes the spans; with
`AMONT_OTLP_URL` they are sent there over OTLP/HTTP, without it nothing is recorded and contexts that come from outside are still passed on.
Spans carry ids and bounded words, never a name or an address.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import context, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_HEADER = "traceparent"
_CARRIER = TraceContextTextMapPropagator()


class Tracing:
    """Makes and hands on spans. One per process; until `record_to`, it hands on what comes from outside and records nothing."""

    def __init__(self) -> None:
        self.provider = TracerProvider(sampler=ParentBased(ALWAYS_OFF))
        self._tracer = self.provider.get_tracer("amont")
        self.records = False
        """Whether spans are kept by anybody; if not, what has no trace yet begins none."""

    def record_to(self, processor: SpanProcessor, *, service: str, ratio: float = 1.0) -> None:
        """Give spans to a processor: of every trace that somebody else began and sampled, and of a share (0 to 1) of those that begin here."""
        self.provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)), resource=Resource.create({"service.name": service}), shutdown_on_exit=False
        )
        self.provider.add_span_processor(processor)
        self._tracer = self.provider.get_tracer("amont")
        self.records = True

    def shut_down(self) -> None:
        """Send what is left, and record nothing more."""
        provider, self.provider = self.provider, TracerProvider(sampler=ParentBased(ALWAYS_OFF))
        self._tracer, self.records = self.provider.get_tracer("amont"), False
        provider.shutdown()

    def span(self, name: str, parent: str | None, *, kind: SpanKind = SpanKind.INTERNAL, **attributes: str) -> AbstractContextManager[None]:
        """Do something as a part of the trace that `parent` (a traceparent; unreadable ones are ignored) belongs to, or as the begin of one.

        Raises what happens inside, which the span remembers by its type alone.
        """
        above = _CARRIER.extract({_HEADER: parent}, context.Context()) if parent else None
        if self.records:
            return self._recorded(name, above, kind, {f"amont.{key}": value for key, value in attributes.items()})
        return _HERE if above is None else _in(above)

    @contextmanager
    def _recorded(self, name: str, above: context.Context | None, kind: SpanKind, named: Mapping[str, str]) -> Iterator[None]:
        with self._tracer.start_as_current_span(name, above, kind, named, record_exception=False, set_status_on_exception=False) as one:
            try:
                yield
            except Exception as error:
                one.set_attribute("error.type", type(error).__name__)
                one.set_status(trace.StatusCode.ERROR)
                raise


TRACING = Tracing()
_HERE = nullcontext()


@contextmanager
def within(traceparent: str | None) -> Iterator[None]:
    """What is logged inside carries the trace that a traceparent names; an unreadable one is ignored. Nothing is recorded."""
    with _in(_CARRIER.extract({_HEADER: traceparent}, context.Context()) if traceparent else None):
        yield


@contextmanager
def _in(above: context.Context | None) -> Iterator[None]:
    """Inside a context that is handed on as it is."""
    token = context.attach(above) if above is not None else None
    try:
        yield
    finally:
        if token is not None:
            context.detach(token)


def carried() -> str | None:
    """The traceparent of what is being done now; None when that belongs to no trace, or to one that nobody records."""
    found = trace.get_current_span().get_span_context()
    if not found.is_valid or not (found.trace_flags.sampled or TRACING.records):
        return None
    return f"00-{trace.format_trace_id(found.trace_id)}-{trace.format_span_id(found.span_id)}-{found.trace_flags:02x}"


def trace_id() -> str | None:
    """The id of the trace that is being worked on, as 32 hexadecimal digits."""
    found = trace.get_current_span().get_span_context()
    return trace.format_trace_id(found.trace_id) if found.is_valid else None


def trace_id_in(traceparent: str | None) -> str | None:
    """The id of the trace that a traceparent names; None for none, and for one that cannot be read."""
    if not traceparent:
        return None
    found = trace.get_current_span(_CARRIER.extract({_HEADER: traceparent}, context.Context())).get_span_context()
    return trace.format_trace_id(found.trace_id) if found.is_valid else None


def continued(effect: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """The same effect, done later as a part of the trace of now."""
    if not trace.get_current_span().get_span_context().is_valid:
        return effect
    now = context.get_current()

    async def later() -> None:
        token = context.attach(now)
        try:
            await effect()
        finally:
            context.detach(token)

    return later


def export_to(url: str, *, service: str, ratio: float) -> None:
    """Send spans in batches to an OpenTelemetry collector at `url` (OTLP over HTTP, for instance `http://collector:4318/v1/traces`)."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - only where it is used
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    TRACING.record_to(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)), service=service, ratio=ratio)

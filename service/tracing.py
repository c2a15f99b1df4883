"""Traces: one span a request, for those who install the extra `otel`. Routes, numbers and codes alone: nothing that anybody wrote.

Paths, queries, headers and errors' texts may name people, so none of them is told; the request's number leads on to the log.
"""

from importlib.metadata import version
from time import time_ns

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TIMEOUT = 2
"""Seconds that a collector may take; what it does not take is dropped."""


class Traces:
    """Tells a collector of each request, in batches and beside the serving."""

    def __init__(self, endpoint: str) -> None:
        told = Resource({"service.name": "fenpai", "service.version": version("fenpai")})
        self._provider = TracerProvider(resource=told, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=TIMEOUT)))
        self._tracer = self._provider.get_tracer("fenpai")
        self._parents = TraceContextTextMapPropagator()

    def request(self, method: str, route: str, status: int, seconds: float, facts: dict[str, str]) -> None:
        """A request that is over; `facts` are its number, the trace it belongs to (`traceparent`) and the code of what went wrong."""
        now = time_ns()
        parent = self._parents.extract({"traceparent": facts.pop("traceparent")}) if "traceparent" in facts else None
        about: dict[str, str | int] = {"http.request.method": method, "http.route": route, "http.response.status_code": status}
        about |= {f"fenpai.{name}": value for name, value in facts.items()}
        span = self._tracer.start_span(f"{method} {route}", parent, SpanKind.SERVER, about, start_time=now - int(seconds * 1e9))
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(now)

    def close(self) -> None:
        """Send what waits, and end."""
        self._provider.shutdown()

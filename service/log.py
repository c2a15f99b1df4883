"""Logs: one JSON object a line, with nothing of what people wrote; phone and identity card numbers are masked as a last guard."""

import asyncio
import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import orjson
import structlog

Event = MutableMapping[str, Any]

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
PAGE = 500
"""Lines that are written at the latest together."""
TURN_SECONDS = 0.2
"""How long a line may wait for the others of its page."""
FRAMES = 12
"""How many places in the code are told of an exception, the innermost ones."""

_IDENTITY_CARD = re.compile(r"(?<!\d)\d{6}(?:18|19|20)\d{9}[\dXx](?!\d)")
_PHONE = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8})(?!\d)")


def configure(level: str, stream: BinaryIO | None = None) -> "Paper":
    """Write to `stream`, standard error by default, what is at least as grave as `level`; the libraries' logs come the same way."""
    paper = Paper(stream or sys.stderr.buffer)
    structlog.configure(
        processors=[_stamp, _place_of_error, mask, _render],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: paper,
        cache_logger_on_first_use=False,
    )
    # Libraries are quieter than we are: at "info" uvicorn tells of every start twice, alembic of every step.
    logging.basicConfig(handlers=[_Bridge()], level=max(LEVELS[level], logging.WARNING), force=True)
    logging.captureWarnings(capture=True)
    return paper


class Paper:
    """Where the lines are written: at once, or by the page while somebody turns the pages.

    A line for each request written at once costs more than the rest of the request: during the system call the writer's
    thread takes the interpreter, and holds it for milliseconds. A warning is never kept back.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._page: list[bytes] = []
        self._turned = False

    def msg(self, line: bytes) -> None:
        self._page.append(line)
        if not self._turned or len(self._page) >= PAGE:
            self.flush()

    debug = info = msg

    def warning(self, line: bytes) -> None:
        self._page.append(line)
        self.flush()

    warn = error = exception = critical = fatal = warning

    def flush(self) -> None:
        page, self._page = self._page, []
        if page:
            self._stream.write(b"\n".join(page) + b"\n")
            self._stream.flush()

    async def turn(self) -> None:
        """Turn the pages for ever; when called off, everything is written and lines go out at once again."""
        self._turned = True
        try:
            while True:
                await asyncio.sleep(TURN_SECONDS)
                self.flush()
        finally:
            self._turned = False
            self.flush()


def _stamp(_logger: object, method: str, event: Event) -> Event:
    return {"time": datetime.now(UTC), "level": method, "event": event.pop("event", ""), **event}


def mask(_logger: object, _method: str, event: Event) -> Event:
    """Hide numbers that look like phones and identity cards, wherever in the event they stand."""
    for key, value in event.items():
        event[key] = masked(value)
    return event


def masked(value: Any) -> Any:
    """The value with such numbers hidden but for what tells two of them apart."""
    if isinstance(value, str):
        return _PHONE.sub(_hidden, _IDENTITY_CARD.sub(_hidden, value)) if len(value) > 10 else value  # shorter texts hold none
    if isinstance(value, dict):
        return {masked(key): masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(inner) for inner in value]
    if isinstance(value, int) and value > 10**10:
        hidden = masked(str(value))
        return value if hidden == str(value) else hidden
    return value


def _hidden(number: re.Match[str]) -> str:
    return f"{number[0][:3]}****{number[0][-2:]}"


def _place_of_error(_logger: object, _method: str, event: Event) -> Event:
    """Tell where it went wrong, not in which words: messages of exceptions quote what people wrote."""
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    elif error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["error"] = _names(error)
        event["where"] = _places(error.__traceback__)
    return event


def _names(error: BaseException | None) -> list[str]:
    """The error's class and those of its causes."""
    names: list[str] = []
    while error is not None and len(names) < FRAMES:
        names.append(f"{type(error).__module__}.{type(error).__qualname__}")
        error = error.__cause__ or error.__context__
    return names


def _places(trace: TracebackType | None) -> list[str]:
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_qualname}")
        trace = trace.tb_next
    return places[-FRAMES:]


def _render(_logger: object, _method: str, event: Event) -> bytes:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS)


class _Bridge(logging.Handler):
    """Hands what libraries log to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        # A library's message may carry an exception's text; its class and place tell enough.
        text = f"{record.name}: exception" if record.exc_info else record.getMessage()
        log.log(record.levelno, text, source=record.name, exc_info=record.exc_info)

"""Logs: every line of the process in one form: for a reader at a terminal, else one JSON object a line.

structlog renders what our loggers, uvicorn's and the warnings of Python say; the line for each request joins it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from candlewick.server.log_writer import LogHandler, LogWriter

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

    from candlewick.server.request_log import Line

TALKATIVE = ("uvicorn", "uvicorn.error", "httpx", "httpcore", "asyncio")
"""Loggers that say below a warning only what nobody needs twice."""


class Logs:
    """``request`` takes the line for a request; ``writer`` counts what was dropped."""

    def __init__(self, writer: LogWriter, level: str, *, terminal: bool) -> None:
        import msgspec

        self.writer = writer
        self._least = logging.getLevelNamesMapping()[level.upper()]
        self._terminal = terminal
        self._encode = msgspec.json.Encoder().encode
        self._ranks = {name.casefold(): rank for name, rank in logging.getLevelNamesMapping().items()}

    def request(self, line: Line) -> None:
        """Write a line, when its level is one that is written."""
        if self._ranks[line.level] < self._least:
            return
        self.writer.put(_shown(line) if self._terminal else self._encode(line) + b"\n")


@contextmanager
def logging_to(stream: TextIO | None = None, level: str = "info", *, terminal: bool | None = None) -> Iterator[Logs]:
    """All lines of the process to ``stream`` (standard error) until the end of this, then as before.

    ``terminal``: the form for a reader; by default where ``stream`` is one.
    """
    import structlog

    to = sys.stderr if stream is None else stream
    shown = to.isatty() if terminal is None else terminal
    last: Processor = _for_readers() if shown else _as_json
    writer = LogWriter(_descriptor(to), lambda count: _dropped(last, count))
    handler = LogHandler(writer)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_stamped, structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Without the values of variables, which the usual formatters for terminals show.
                structlog.processors.format_exc_info,
                last,
            ],
        )
    )
    with _in_place(handler, level):
        try:
            yield Logs(writer, level, terminal=shown)
        finally:
            writer.close()


def _descriptor(stream: TextIO) -> int:
    """That of a stream, or of standard error where it has none, as one in memory."""
    try:
        return stream.fileno()
    except OSError:
        return 2


@contextmanager
def _in_place(handler: logging.Handler, level: str) -> Iterator[None]:
    root = logging.getLogger()
    handlers, was = root.handlers[:], root.level
    talkative = {name: logging.getLogger(name).level for name in TALKATIVE}
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(was)
        for name, before in talkative.items():
            logging.getLogger(name).setLevel(before)


def _stamped(_: Any, __: str, event: EventDict) -> EventDict:
    from candlewick.server.request_log import now

    event["time"] = now()
    return event


def _as_json(_: Any, __: str, event: EventDict) -> str:
    import msgspec

    first = {name: event.pop(name) for name in ("time", "level", "event")}
    return msgspec.json.encode({**first, **event}, enc_hook=str).decode()


def _for_readers() -> Callable[..., str]:
    from structlog.dev import ConsoleRenderer, plain_traceback

    return ConsoleRenderer(
        colors=True, sort_keys=False, timestamp_key="time", exception_formatter=plain_traceback, pad_event_to=0
    )


_AFTER: tuple[str, ...] = ("ms", "bytes", "symbol", "engine", "arm", "fallback", "cache", "key", "role")
_AFTER += ("messages", "closed", "address", "id")
"""Of a line for a request, in the order in which a reader looks for it."""


def _shown(line: Line) -> bytes:
    """As structlog shows its own, in a tenth of the time: what is dim is the same in each line."""
    known = ((name, getattr(line, name)) for name in _AFTER)
    rest = " ".join(f"{name}={value}" for name, value in known if value is not None)
    start = f"\x1b[2m{line.time}\x1b[0m [{line.level:<8}] "
    return f"{start}\x1b[1m{line.method} {line.path} {line.status}\x1b[0m {rest}\n".encode("utf-8", "backslashreplace")


def _dropped(last: Processor, count: int) -> bytes:
    event: EventDict = {"level": "warning", "event": "log lines were dropped: nobody read them", "dropped": count}
    return _bytes(last(None, "warning", _stamped(None, "warning", event)))


def _bytes(rendered: Any) -> bytes:
    return str(rendered).encode("utf-8", "backslashreplace") + b"\n"

"""LogWriter: lines of a log on their way to standard error, which never hold up who writes them.

A thread writes what has gathered for some hundredths of a second, many lines at once. When nobody reads the other end
of a pipe, it is this thread that waits; the lines behind it are kept up to `ROOM` bytes, further ones are dropped,
counted, and told as soon as lines are written again.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from collections.abc import Callable

from candlewick.settings import KEY_FORM

ROOM = 8 << 20
"""Bytes of lines that wait, at most."""

GATHER = 0.05
"""Seconds for which lines gather before they are written: waking a thread for each would cost more than the line."""

MARK = b"cw_"
_KEY = KEY_FORM.pattern.encode()


class LogWriter:
    """Writes lines to a file descriptor. ``dropped_line``: the line that tells how many were dropped."""

    def __init__(self, descriptor: int, dropped_line: Callable[[int], bytes], *, room: int = ROOM) -> None:
        self._descriptor = descriptor
        self._dropped_line = dropped_line
        self._room = room
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._waiting = 0
        self._untold = 0
        self._dropped = 0
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="candlewick-log", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """Take one line, with its end; at once, whatever the other end does."""
        if MARK in line:
            line = redacted(line)
        with self._lock:
            if self._waiting + len(line) > self._room:
                self._untold += 1
                self._dropped += 1
            else:
                self._lines.append(line)
                self._waiting += len(line)
        if not self._woken.is_set():  # a dropped line is told, also when no other follows it
            self._woken.set()

    def flush(self, seconds: float = 0.25) -> bool:
        """Wait until what was taken is written; False when it is not within so many seconds."""
        end = time.monotonic() + seconds
        while self._waiting:
            if time.monotonic() > end:
                return False
            time.sleep(0.002)
        return True

    def close(self, seconds: float = 0.25) -> None:
        """Write what was taken, within so many seconds, and end. Closing twice is harmless."""
        self._closing.set()
        self._woken.set()
        self._thread.join(seconds)

    def stats(self) -> dict[str, int]:
        """``waiting``: bytes that are not written yet; ``dropped``: lines that never will be."""
        return {"waiting": self._waiting, "dropped": self._dropped}

    def _run(self) -> None:
        while not (self._closing.is_set() and not self._lines and not self._untold):
            self._woken.wait()
            self._closing.wait(GATHER)
            self._woken.clear()
            with self._lock:
                lines, self._lines = self._lines, []
                untold, self._untold = self._untold, 0
            size = sum(map(len, lines))
            if untold:
                lines.append(self._dropped_line(untold))
            written = self._write(b"".join(lines))
            with self._lock:
                self._waiting -= size
                if not written:
                    self._dropped += len(lines)
            if self._closing.is_set():
                self._woken.set()

    def _write(self, text: bytes) -> bool:
        """False where nobody will ever read it."""
        rest = memoryview(text)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # somebody made the descriptor so; then it is waited for here
                select.select([], [self._descriptor], [], 1.0)
            except OSError:
                return False
        return True


class LogHandler(logging.Handler):
    """Hands the lines of the standard library's loggers to a writer."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Format a record, and hand it on."""
        try:
            self._writer.put(self.format(record).encode("utf-8", "backslashreplace") + b"\n")
        except Exception:  # noqa: BLE001 - a line that cannot be formatted must not harm who logs
            self.handleError(record)

    def flush(self) -> None:
        """Wait a moment for what was taken."""
        self._writer.flush()


def redacted(line: bytes) -> bytes:
    """The line with every key in it cut down to its id."""
    import re

    return re.sub(_KEY, lambda found: found[0][:12] + b"(not shown)", line)

"""Follow: files that grow, and folders into which files come, taken in as they do.

1. Of a text file whole lines are taken, as often as one looks (`GrowingFile.pieces`); a line without its end waits.
2. A file that was cut or written anew is read from its beginning; one that was moved away is read on for a while.
3. A file in a folder, and one that is no plain text, is taken as a whole once it stopped growing (`Settled`).
4. Of several lines for one candle in a piece only the last counts: the others were the same candle while it formed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from candlewick.errors import CandlewickError, InputError
from candlewick.sources.columns import recognise
from candlewick.sources.files import KNOWN, NDJSON, TEXT
from candlewick.sources.layout import fields, find_layout, time_text

MOST = 8 << 20
"""Bytes of a piece, at most, unless one line is longer."""

KNOWN_BY = 256
"""Bytes at its beginning by which a file is known again."""


LOOKS = 5
"""How often a file that was moved away is looked at again."""


@dataclass(frozen=True)
class Piece:
    """Lines of a growing file, behind its header. ``superseded``: lines that were left out, since a later one of the
    piece is for the same candle."""

    name: str
    content: bytes
    superseded: int = 0


def grows(path: Path) -> bool:
    """True for a file that is read line by line while it grows: plain text, by its name."""
    return path.suffix.casefold() in (*TEXT, *NDJSON)


class GrowingFile:
    """A text file that others append to; it need not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: _Opened | None = None
        self._leaving: list[_Opened] = []

    def pieces(self) -> Iterator[Piece]:
        """The whole lines that came since the last look."""
        for one in list(self._leaving):
            yield from one.pieces()
            one.looks -= 1
            if not one.looks:
                one.file.close()
                self._leaving.remove(one)
        if self._read is not None:
            yield from self._read.pieces()
            if not self._read.whole():
                self._read.file.close()
                self._read = None
            elif self._read.moved():
                self._leaving.append(self._read)
                self._read = None
        if self._read is None:
            try:
                self._read = _Opened(self.path, self.path.open("rb"))
            except FileNotFoundError:
                return
            yield from self._read.pieces()

    def close(self) -> None:
        """Let go of the file."""
        for one in [*self._leaving, *([] if self._read is None else [self._read])]:
            one.file.close()
        self._leaving, self._read = [], None


class _Opened:
    """An open file, and how far it has been read. ``looks``: how often one that was moved away is looked at again,
    since its writer may not know yet."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.file = file
        self.looks = LOOKS
        self._json = path.suffix.casefold() in NDJSON
        self._begin = self._header = b""
        self._done = 0

    def whole(self) -> bool:
        """False when it was cut or written anew: what is there now must be read from its beginning."""
        self.file.seek(0)
        return os.fstat(self.file.fileno()).st_size >= self._done and self.file.read(len(self._begin)) == self._begin

    def moved(self) -> bool:
        """True when another file, or none, is where this one was."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return True
        here = os.fstat(self.file.fileno())
        return (there.st_ino, there.st_dev) != (here.st_ino, here.st_dev)

    def pieces(self) -> Iterator[Piece]:
        """The whole lines behind those that were read; none when it was cut."""
        while self.whole() and (lines := self._lines()):
            if not self._header and not self._json:
                cut = lines.find(b"\n") + 1
                self._header, lines = lines[:cut], lines[cut:]
            if lines.strip():
                yield _piece(self.path.name, self._header, lines, as_json=self._json)

    def _lines(self) -> bytes:
        """The next whole lines; empty when there are none yet."""
        self.file.seek(self._done)
        data = self.file.read(MOST)
        while b"\n" not in data and (more := self.file.read(MOST)):
            data += more
        cut = data.rfind(b"\n") + 1
        if cut and len(self._begin) < KNOWN_BY:
            self.file.seek(0)
            self._begin = self.file.read(min(KNOWN_BY, self._done + cut))
        self._done += cut
        return data[:cut]


class Settled:
    """Files that are taken as a whole, once they stopped growing; ``given``: a file or a folder."""

    def __init__(self, given: Path) -> None:
        self.given = given
        self._seen: dict[Path, tuple[int, int, int]] = {}
        self._taken: dict[Path, tuple[int, int, int]] = {}

    def ready(self) -> list[Path]:
        """Files that are as they were at the last look and are not taken yet, or were changed since."""
        now = {path: mark for path in self._files() if (mark := _mark(path)) is not None and mark[1]}
        found = [path for path, mark in now.items() if self._seen.get(path) == mark != self._taken.get(path)]
        self._seen = now
        self._taken |= {path: now[path] for path in found}
        return found

    def _files(self) -> list[Path]:
        if not self.given.is_dir():
            return [self.given]
        return sorted(path for path in self.given.iterdir() if path.name.casefold().endswith(KNOWN))


def check_followed(path: Path) -> None:
    """Raise InputError for a path that cannot be followed."""
    if path.is_dir() or path.name.casefold().endswith(KNOWN):
        if not path.parent.is_dir():
            raise InputError("path", str(path), "give a file in a folder that is there", "is in no folder")
        return
    raise InputError("path", str(path), f"give a folder, or a file named {', '.join(KNOWN)}", "cannot be followed")


def _mark(path: Path) -> tuple[int, int, int] | None:
    with suppress(FileNotFoundError):
        found = path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None


def _piece(name: str, header: bytes, lines: bytes, *, as_json: bool) -> Piece:
    rows = lines.splitlines(keepends=True)
    key = _json_key(rows) if as_json else _text_key(name, header, lines)
    if key is None:
        return Piece(name, header + lines)
    last: dict[object, int] = {}
    for place, row in enumerate(rows):
        last[key(row) or place] = place
    kept = sorted(last.values())
    return Piece(name, header + b"".join(rows[place] for place in kept), len(rows) - len(kept))


Key = Callable[[bytes], object]
"""What a line is about: its time and symbol, as they are written; None where it does not say."""


def _text_key(name: str, header: bytes, lines: bytes) -> Key | None:
    try:
        layout = find_layout(name, header + lines, whole=True)
    except CandlewickError:
        return None  # whoever takes the piece in says what is wrong
    columns = layout.columns

    def key(line: bytes) -> object:
        row = fields(line.decode("utf-8", "backslashreplace").strip(), layout.delimiter)
        if len(row) != layout.width:
            return None
        return time_text(row, columns), "" if columns.symbol is None else row[columns.symbol]

    return key


def _json_key(rows: list[bytes]) -> Key | None:
    first = next((found for row in rows if isinstance(found := _decoded(row), dict)), None)
    if first is None:
        return None
    members = list(first)
    try:
        columns = recognise(members, "line")
    except CandlewickError:
        return None
    wanted = [members[at] for at in (columns.time, columns.date, columns.symbol) if at is not None]

    def key(line: bytes) -> object:
        found = _decoded(line)
        return tuple(str(found.get(name)) for name in wanted) if isinstance(found, dict) else None

    return key


def _decoded(line: bytes) -> object:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

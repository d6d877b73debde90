"""Text file: a text that lies plain, gzipped, or as a member of a zip archive, read as blocks of whole lines."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from candlewick.errors import FileFormatError

BLOCK = 4 << 20
"""Bytes read at once."""

HEAD = 1 << 16
"""Bytes that must hold the header and the first rows."""

LONGEST = 1 << 20
"""Bytes of the longest line; a text with a longer one is no table."""

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Block:
    """Whole lines, each ended by one newline. ``first``: physical number of the first line, from 1; ``done``: bytes of
    the file behind the block."""

    data: bytes
    first: int
    done: int


@dataclass(frozen=True)
class TextFile:
    """Where a text lies. ``member`` names a member of a zip archive; ``size`` is in bytes on disk."""

    path: Path
    member: str | None
    size: int

    @property
    def name(self) -> str:
        """As users see it."""
        return str(self.path) if self.member is None else f"{self.path}/{self.member}"

    @property
    def compressed(self) -> bool:
        """True for gz and zip."""
        return self.member is not None or self.path.suffix.casefold() == ".gz"

    def head(self) -> tuple[bytes, bool]:
        """The first lines without a byte order mark, newlines as they are, and whether that is all of the text."""
        with self._open() as (stream, _):
            data = stream.read(HEAD + 1)
        whole = len(data) <= HEAD
        return data.removeprefix(BOM), whole

    def blocks(self, digest: Callable[[bytes], object] | None = None, size: int | None = None) -> Iterator[Block]:
        """The text as blocks of whole lines; ``digest`` gets every byte. A line may end with \\n, \\r\\n or \\r."""
        carry, first, start = b"", 1, True
        with self._open() as (stream, done):
            while data := stream.read(size or BLOCK):
                if digest is not None:
                    digest(data)
                data = carry + data
                if start and len(data) >= len(BOM):
                    data, start = data.removeprefix(BOM), False
                cut = 0 if start else _last_end(data)
                whole, carry = data[:cut], data[cut:]
                if len(carry) > LONGEST:
                    expected = f"lines of up to {LONGEST:,} bytes"
                    raise FileFormatError("file", self.name, expected, "has a longer line, so it is not a table")
                if whole:
                    whole = _newlines(whole)
                    yield Block(whole, first, done())
                    first += whole.count(b"\n")
            carry = _newlines(carry.removeprefix(BOM) if start else carry)
            if carry:
                yield Block(carry if carry.endswith(b"\n") else carry + b"\n", first, self.size)

    @contextmanager
    def _open(self) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
        try:
            if self.member is not None:
                with zipfile.ZipFile(self.path) as archive:
                    info = archive.getinfo(self.member)
                    with archive.open(info) as member:
                        scale = self.size / max(1, info.file_size)
                        yield member, lambda: int(member.tell() * scale)
            else:
                with self.path.open("rb") as plain:
                    if self.compressed:
                        with gzip.GzipFile(fileobj=plain) as stream:
                            yield cast(IO[bytes], stream), plain.tell
                    else:
                        yield plain, plain.tell
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise FileFormatError("file", self.name, f"give a whole gz file: {error}", "is not gzip") from error
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError) as error:
            raise FileFormatError("file", self.name, f"give a zip file: {error}", "cannot be unpacked") from error
        except OSError as error:
            raise FileFormatError("file", self.name, error.strerror or str(error), "cannot be read") from error


def members(path: Path) -> list[TextFile]:
    """The files in a zip archive, sorted by name. Raises FileFormatError for an archive that is none, or is empty."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [info for info in archive.infolist() if not info.is_dir() and "__MACOSX" not in info.filename]
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, OverflowError, struct.error) as error:
        raise FileFormatError("file", str(path), "give a zip file", f"is not a zip file ({error})") from error
    if not found:
        raise FileFormatError("file", str(path), "give an archive with files in it", "is an empty archive")
    ordered = sorted(found, key=lambda info: info.filename)
    return [TextFile(path, info.filename, info.compress_size) for info in ordered]


def _last_end(data: bytes) -> int:
    """Where the last whole line ends. A carriage return counts only where there is no newline, and not as last byte:
    a newline may follow."""
    cut = data.rfind(b"\n") + 1
    return cut or data.rfind(b"\r", 0, max(0, len(data) - 1)) + 1


def _newlines(data: bytes) -> bytes:
    if b"\r" not in data:
        return data
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

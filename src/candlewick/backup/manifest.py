"""Manifest: what a backup says of itself, as JSON in the file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from candlewick.errors import FileFormatError, StoreVersionError

FORMAT = 1
"""Version of the form of a backup; a higher one was written by a newer candlewick."""

KIND = "candlewick backup"


@dataclass(frozen=True)
class Part:
    """A part of the file. ``table``: whose rows it has, empty for what is no table."""

    name: str
    table: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Kept:
    """A series as the backup has it: its rows, earlier versions and writes, and the digest of all of them."""

    symbol: str
    timeframe: str
    calendar: str
    rows: int
    revisions: int
    writes: int
    digest: str


@dataclass(frozen=True)
class Manifest:
    """``made_at``: ISO UTC, when the store was like this; ``store``: its address; ``tables``: columns of each with what
    they are; ``rest``: digest of what belongs to no series."""

    made_at: str
    candlewick: str
    store: str
    tables: dict[str, dict[str, str]]
    parts: tuple[Part, ...]
    series: tuple[Kept, ...]
    rest: str
    kind: str = KIND
    format: int = FORMAT

    def rows(self, table: str) -> int:
        """How many rows of a table there are."""
        return sum(one.rows for one in self.parts if one.table == table)

    def encoded(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False).encode()

    @classmethod
    def decoded(cls, data: bytes, file: Path) -> Self:
        """From JSON. Raises FileFormatError for what is none, StoreVersionError for that of a newer candlewick."""
        try:
            told: dict[str, Any] = json.loads(data)
            if told["kind"] != KIND:
                raise ValueError(told["kind"])
            if told["format"] > FORMAT:
                raise StoreVersionError(
                    f"backup: {file} has form {told['format']}, this candlewick knows {FORMAT}: use a newer candlewick"
                )
            parts = tuple(Part(**one) for one in told.pop("parts"))
            series = tuple(Kept(**one) for one in told.pop("series"))
            return cls(parts=parts, series=series, **told)
        except (ValueError, KeyError, TypeError) as error:
            expected = "take another backup: what it says of itself cannot be read"
            raise FileFormatError("backup", str(file), expected, "is damaged in manifest.json") from error

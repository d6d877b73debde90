"""Columns: which column of a file or table is which, by the header names in common use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from candlewick.candles import VALUES
from candlewick.errors import InputError, MissingColumnError

KNOWN: dict[str, tuple[str, ...]] = {
    "time": ("time", "timestamp", "datetime", "date", "opentime", "dateandtime", "ts", "t"),
    "symbol": ("symbol", "ticker", "instrument", "sym"),
    "open": ("open", "o", "openprice"),
    "high": ("high", "h", "highprice", "max"),
    "low": ("low", "l", "lowprice", "min"),
    "close": ("close", "c", "closeprice", "last"),
    "volume": ("volume", "vol", "v"),
}
_PUNCTUATION = re.compile(r"[\s_\-<>.\"']+")


@dataclass(frozen=True)
class Columns:
    """Positions of the recognised columns. ``date`` is set when date and time of day stand in two columns."""

    time: int
    date: int | None
    symbol: int | None
    values: tuple[int, ...]


def recognise(header: Sequence[str], name: str) -> Columns:
    """Positions by header names: case, spaces and punctuation do not matter, nor does the order.

    Raises MissingColumnError (``name`` is the file), InputError when two columns could be the same thing.
    """
    cells = [plain(cell) for cell in header]
    found = {role: [at for at, cell in enumerate(cells) if cell in names] for role, names in KNOWN.items()}
    date, clock = cells.count("date"), cells.count("time")
    pair = date == 1 and clock == 1 and len(found["time"]) == 2
    if pair:
        found["time"] = [cells.index("time")]
    for role, places in found.items():
        if len(places) > 1:
            names = ", ".join(header[at] for at in places)
            raise InputError(name, names, f"keep one column for {role}", f"could each be the {role}")
        if not places and role != "symbol":
            raise MissingColumnError(name, role, header, KNOWN[role])
    symbol = found["symbol"][0] if found["symbol"] else None
    values = tuple(found[role][0] for role in VALUES)
    return Columns(found["time"][0], cells.index("date") if pair else None, symbol, values)


def recognised(header: Sequence[str]) -> int:
    """How many of the roles a header names: the delimiter that gives the most is the file's."""
    cells = {plain(cell) for cell in header}
    return sum(not cells.isdisjoint(names) for names in KNOWN.values())


def plain(name: str) -> str:
    """A column's name without case, spaces and punctuation."""
    return _PUNCTUATION.sub("", name).casefold()

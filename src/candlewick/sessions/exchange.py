"""Exchange: the sessions of one exchange calendar, from a small table on disk, else built by exchange-calendars."""

from __future__ import annotations

import os
import tempfile
import threading
import time
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from candlewick.columnar import Integers
from candlewick.errors import InputError
from candlewick.kernels import cache_folder
from candlewick.sessions.names import ZONES
from candlewick.sessions.overrides import Overrides, framed
from candlewick.sessions.table import DAY, Table

FIRST_DAY = 7305
"""1990-01-01: tables begin here, or where the library's calendar does if that is later."""

FORM = "1"
"""Raised when the same library and overrides would give other tables."""


class Exchange:
    """Tables of one exchange calendar. The library is imported only when the table on disk does not reach."""

    def __init__(self, name: str, overrides: Overrides, today: Callable[[], int] | None = None) -> None:
        self.name = name
        self.zone = ZONES[name]
        self.overrides = overrides
        self._today = today or _utc_day
        self._lock = threading.Lock()
        self._table: Table | None = None
        self._built = 0

    @property
    def version(self) -> str:
        """What decides the edges: the library's version and our overrides."""
        from importlib.metadata import version

        return f"{FORM}-{version('exchange-calendars')}-{self.overrides.digest}"

    def table(self, start: int, end: int) -> Table:
        """The widest table there is; the caller sees whether it covers ``start`` to ``end``."""
        table = self._table
        if table is not None and table.covers(start, end):
            return table
        with self._lock:
            if self._table is None:
                self._load()
            table = self._table
            if table is None or (end > table.until and self._built < self._today()):
                table = self._rebuild()
        return table

    @property
    def file(self) -> Path:
        """Where the table is kept."""
        return cache_folder() / "sessions" / f"{self.name.replace('/', '-')}-{self.version}.npz"

    def _load(self) -> None:
        try:
            with self.file.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                opened, closed, label, facts = (stored[key] for key in ("open", "close", "label", "facts"))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return  # absent or damaged: built again
        first_day, last_day, self._built = (int(fact) for fact in facts)
        self._table = framed(opened, closed, label, first_day, last_day, self.zone)

    def _rebuild(self) -> Table:
        opened, closed, label, first_day, last_day = _from_library(self.name)
        table = framed(opened, closed, label, first_day, last_day, self.zone)
        self._table = table = self.overrides.applied(table, self.zone, self.name)
        self._built = self._today()
        facts = np.array([table.first_day, table.last_day, self._built])
        _write(self.file, {"open": table.open, "close": table.close, "label": table.label, "facts": facts})
        return table


def _from_library(name: str) -> tuple[Integers, Integers, Integers, int, int]:
    """Opens, closes and labels of every period, and the first and last date that the library decides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own use of what pandas will drop
        import exchange_calendars
        import pandas as pd

        try:
            calendar = _widest(name)
        except Exception as error:
            versions = f"exchange-calendars {exchange_calendars.__version__} with pandas {pd.__version__}"
            expected = "give its hours instead, as 09:15-15:30@Asia/Kolkata, and its holidays by CANDLEWICK_SESSIONS"
            raise InputError("calendar", name, expected, f"cannot be built by {versions} ({error!r:.80})") from error
        schedule = calendar.schedule
        opened, paused, resumed, closed = (
            pd.DatetimeIndex(schedule[column]).tz_convert(None).to_numpy().astype("datetime64[us]").astype(np.int64)
            for column in ("open", "break_start", "break_end", "close")
        )
        label = schedule.index.to_numpy().astype("datetime64[D]").astype(np.int64)
        first_day = min(int(label[0]), max(FIRST_DAY, _day(calendar.bound_min(), FIRST_DAY)))
        last_day = max(int(label[-1]), _day(calendar.default_end(), int(label[-1])))
    has_break = (opened < paused) & (paused < resumed) & (resumed < closed)
    after = np.flatnonzero(has_break) + 1
    return (
        np.insert(opened, after, resumed[has_break]),
        np.insert(np.where(has_break, paused, closed), after, closed[has_break]),
        np.insert(label, after, label[has_break]),
        first_day,
        last_day,
    )


def _widest(name: str) -> Any:
    """The library's calendar from 1990, else from its own bound."""
    import exchange_calendars
    import pandas as pd

    try:
        return exchange_calendars.get_calendar(name, start=pd.Timestamp(FIRST_DAY, unit="D"))
    except ValueError:  # before the calendar's bound, which only a calendar can tell
        return exchange_calendars.get_calendar(name, start=exchange_calendars.get_calendar(name).bound_min())


def _day(at: Any, absent: int) -> int:
    return absent if at is None else int(at.to_datetime64().astype("datetime64[D]").astype(np.int64))


def _write(file: Path, arrays: Mapping[str, Integers]) -> None:
    """Whole or not at all; a folder that cannot be written only costs the next process its time."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".part")
        with os.fdopen(handle, "wb") as out:
            np.savez(out, **arrays)  # type: ignore[arg-type]
        Path(temporary).replace(file)
    except OSError:
        return


def _utc_day() -> int:
    return int(time.time() * 1_000_000) // DAY

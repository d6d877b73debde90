"""The contract of every candle store: `candlewick.testing.repository_contract` holds each one to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from candlewick.candles import Candles
from candlewick.errors import InputError, StoreError
from candlewick.moments import Moment
from candlewick.moments import iso as iso
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.store.quarantined_row import QuarantinedRow as QuarantinedRow
from candlewick.store.series import Series as Series
from candlewick.store.series import Snapshot as Snapshot
from candlewick.store.series import Upserted as Upserted
from candlewick.store.series import Written as Written
from candlewick.store.series import bounds as bounds
from candlewick.store.series import check_batch as check_batch
from candlewick.store.series import unknown as unknown
from candlewick.store.splits import Split, check_apart, effective, factor_of
from candlewick.store.stats import Stats
from candlewick.timeframe import Timeframe

if TYPE_CHECKING:
    from candlewick.store.check import Problem


class CandleRepository(ABC):
    """Series of candles, one for each (symbol, timeframe), and the rows that were refused on their way in.

    A series' calendar is fixed by its first write, for as long as it holds a candle. A series without candles is not
    listed and cannot be found; should it come back, its revision, generation and history of touched days go on from
    where they were. Ranges are half-open, ``start <= time < end``; times as `candlewick.moments.moment` takes them, a
    date is a session label. Every method may be called from several threads.

    ``as_of``: what was known at that moment, which is what the last write at or before it left. The clock that writes
    are noted by never stands still for a series, so a moment is always that of one revision, and what was read as of a
    moment that is over never changes. Raises UnknownSeriesError that says when the series came, where it had not come
    yet, and HistoryError where what was known is not kept any more: never a part of it.

    Raises UnknownSeriesError for a symbol or timeframe that is not stored, InputError for arguments of no use,
    StoreError when closed.
    """

    url: str

    @abstractmethod
    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        """Write several series in one transaction: all of it or nothing. Idempotent: a second time all is unchanged.

        Raises InputError for a series that stands in the batch twice, or whose calendar differs from the stored one.
        """

    @abstractmethod
    def series(self, *, as_of: Moment | None = None) -> list[Series]:
        """Every stored series, by symbol, then from the finest timeframe to the coarsest."""

    @abstractmethod
    def find(self, symbol: str, timeframe: str | Timeframe, *, as_of: Moment | None = None) -> Series:
        """One series; raises UnknownSeriesError naming what is stored."""

    @abstractmethod
    def series_of(self, symbol: str, *, as_of: Moment | None = None) -> list[Series]:
        """Every stored timeframe of a symbol, finest first; none for an unknown symbol. Does not look at the others."""

    @abstractmethod
    def read(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Candles:
        """The candles of a range, sorted; without start and end the whole series. An empty range gives no candles."""

    @abstractmethod
    def snapshot(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Snapshot:
        """A range as `read` gives it with the record of the series, both of the same moment also while others write.

        A call that comes after it never sees the series older than that.
        """

    @abstractmethod
    def revision_at(self, symbol: str, timeframe: str | Timeframe, at: Moment) -> int:
        """The revision as of a moment: that of the last write at or before it, also where that left no candle."""

    @abstractmethod
    def writes(self, symbol: str, timeframe: str | Timeframe) -> list[Written]:
        """The writes whose outcome is kept, oldest first; also of a series that holds no candle now."""

    @abstractmethod
    def revision_before(
        self, symbol: str, timeframe: str | Timeframe, end: int | None = None, *, as_of: Moment | None = None
    ) -> int:
        """Revision of the last write that touched a UTC day at or before that of ``end - 1`` (microseconds UTC).

        0 when none did; without ``end`` the revision of the series. A write touches the days of the candles that it
        inserts, replaces and deletes. So the candles before ``end`` are the same for as long as this number is.
        """

    @abstractmethod
    def first_changed(
        self, symbol: str, timeframe: str | Timeframe, since: int, *, as_of: Moment | None = None
    ) -> int | None:
        """Start (microseconds UTC) of the earliest UTC day that a write after revision ``since`` touched.

        None when none did: before that time the candles are those of revision ``since``.
        """

    @abstractmethod
    def delete(
        self,
        symbol: str,
        timeframe: str | Timeframe | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        for_good: bool = False,
    ) -> int:
        """Delete a range of one series, or of every timeframe of the symbol; returns how many candles went.

        They can still be read as of before, unless ``for_good``: then every earlier version of the candles before
        ``end`` goes too, and what needs them as of before is a HistoryError.
        """

    @abstractmethod
    def purge(self, before: Moment, symbol: str | None = None, timeframe: str | Timeframe | None = None) -> int:
        """Remove versions that were replaced or deleted at or before a moment; returns how many went.

        What is known as of ``before`` and later stays; as of before the last write until then is a HistoryError.
        """

    @abstractmethod
    def quarantine(self, rows: Sequence[QuarantinedRow]) -> int:
        """Keep refused rows, except those whose (content, line) is kept already. Returns how many are new."""

    @abstractmethod
    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        """The refused rows, by file, then content, then line; of one symbol when given."""

    @abstractmethod
    def compact(self) -> None:
        """Rewrite what is stored into the order in which it is read. Changes no candle, revision or generation."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the store. Closing twice is harmless; any other call afterwards is a StoreError."""

    @property
    def staging(self) -> Path | None:
        """Folder for files on their way in; None when the system's temporary folder will do."""
        return None

    def stats(self) -> Stats:
        """How much the store holds, and how much of it compacting would mend."""
        held = self.series()
        refused = len(self.quarantined())
        return Stats(self.url, len(held), sum(one.rows for one in held), quarantined=refused)

    def check(self) -> list[Problem]:
        """Look at every row: what is not as it must be, empty where all is well. Changes nothing."""
        return []

    def tables(self, *, writing: bool = False) -> AbstractContextManager[Any]:
        """A cursor over the tables of the store as they are at one moment, or inside one transaction that writes.

        Raises StoreError for a store that has no tables, as one in memory.
        """
        what = "written" if writing else "read"
        raise StoreError(
            f"store: {self.url} has no tables that could be {what}: give a DuckDB file or a PostgreSQL database"
        )

    def announce(self, address: str | None) -> None:  # noqa: B027 - where nobody else is kept out, nobody need be told
        """Tell those who find the store owned at which address this process serves it; None takes that back."""

    @property
    def degraded(self) -> str | None:
        """What is not as it should be, though every call is answered; None where all is well."""
        return None

    def hear_others(self, told: Callable[[Sequence[str]], None] | None) -> None:  # noqa: B027 - most have no others
        """``told`` gets the symbols whose candles other processes changed, in a thread of the store; None ends it.

        It must be quick and must not raise."""

    def splits(self) -> Mapping[str, tuple[Split, ...]]:
        """The split factors of every symbol that has any, oldest first. Raw candles are never changed by them."""
        return {}

    def splits_of(self, symbol: str) -> tuple[Split, ...]:
        """The split factors of a symbol, oldest first; none for one that nobody set any for. Looks at no table."""
        return self.splits().get(symbol, ())

    def set_split(
        self, symbol: str, at: Moment, factor: float | str, *, calendar: str | Calendar | None = None
    ) -> Split:
        """Keep a factor, in the place of one of the same moment: ``7`` and ``"7:1"`` say that one share became seven.

        ``at``: from when on prices are those after the split; a date is a session of ``calendar``, else of the symbol's
        finest stored series. The symbol need not be stored. Raises InputError for a factor of no use, for a date that
        is no session, and for a moment less than a day from that of another factor; NaiveTimeError.
        """
        found = Split(self._effective(symbol, at, calendar), factor_of(factor))
        if not isinstance(symbol, str) or not symbol:
            raise InputError("symbol", symbol, "give the name of a symbol")
        check_apart(symbol, found.time, self.splits_of(symbol))
        self._keep_split(symbol, found.time, found.factor)
        return found

    def remove_split(self, symbol: str, at: Moment, *, calendar: str | Calendar | None = None) -> Split | None:
        """Forget the factor of a moment; which it was, None where there was none. Arguments as for ``set_split``."""
        time = self._effective(symbol, at, calendar)
        found = next((one for one in self.splits_of(symbol) if one.time == time), None)
        if found is not None:
            self._keep_split(symbol, time, None)
        return found

    def _effective(self, symbol: str, at: Moment, calendar: str | Calendar | None) -> int:
        if calendar is None:
            stored = self.series_of(symbol)
            return effective(at, find_calendar(stored[0].calendar) if stored else None)
        return effective(at, find_calendar(calendar))

    def _keep_split(self, symbol: str, time: int, factor: float | None) -> None:  # noqa: ARG002
        """Write one factor, None: remove it; on the next call everybody in this process sees it."""
        raise StoreError(f"store: {self.url} keeps no split factors")

    def upsert(self, candles: Candles) -> Upserted:
        """Write one series: all of it or nothing."""
        return self.upsert_many([candles])[0]

    def symbols(self) -> list[str]:
        """The stored symbols, sorted."""
        return sorted({one.symbol for one in self.series()})

    def latest(self, symbol: str, timeframe: str | Timeframe) -> Candles:
        """The newest candle, as one row."""
        last = self.find(symbol, timeframe).last
        return self.read(symbol, timeframe, last, last + 1)

    def earliest(self, symbol: str, timeframe: str | Timeframe) -> Candles:
        """The oldest candle, as one row."""
        first = self.find(symbol, timeframe).first
        return self.read(symbol, timeframe, first, first + 1)

    def date_range(self, symbol: str, timeframe: str | Timeframe, *, as_of: Moment | None = None) -> tuple[int, int]:
        """Open times of the oldest and the newest candle, microseconds UTC."""
        found = self.find(symbol, timeframe, as_of=as_of)
        return found.first, found.last

    def count(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> int:
        """How many candles a range holds."""
        if start is None and end is None:
            return self.find(symbol, timeframe, as_of=as_of).rows
        return len(self.read(symbol, timeframe, start, end, as_of=as_of))

    def delete_older_than(
        self, before: Moment, symbol: str | None = None, timeframe: str | Timeframe | None = None
    ) -> int:
        """Delete candles that opened before ``before``, for good: of every series, or of one symbol.

        Returns how many went. To keep them readable as of before, ``delete`` them, and ``purge`` later.
        """
        names = self.symbols() if symbol is None else [symbol]
        length = None if timeframe is None else Timeframe.parse(timeframe)
        held = {(one.symbol, one.timeframe) for one in self.series()}
        if symbol is None and length is not None:
            names = [name for name in names if (name, length) in held]
        return sum(self.delete(name, length, None, before, for_good=True) for name in names)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

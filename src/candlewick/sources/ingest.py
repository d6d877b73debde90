"""Ingest: files into a store, every row stored or quarantined.

1. Every file's beginning is looked at before anything is stored (`Source.prepare`).
2. A file is read in pieces, checked, and staged by series (`_stage`), with memory that does not grow with the file.
3. Each bucket of whole series is sorted, deduplicated and committed in one transaction (`_commit`).
4. The refused rows go to the quarantine (`_quarantine`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from candlewick.candles import VALUES, Candles
from candlewick.sessions.calendar import Calendar
from candlewick.sources.ahead import ahead
from candlewick.sources.check import check
from candlewick.sources.duplicates import Resolved, resolve
from candlewick.sources.files import sources
from candlewick.sources.rows import Reason
from candlewick.sources.source import Reading, Source
from candlewick.sources.split_warning import splits
from candlewick.sources.staging import Staged, Staging, staging_folder
from candlewick.sources.summary import IngestSummary, Tally
from candlewick.store.repository import CandleRepository, QuarantinedRow, iso
from candlewick.timeframe import Timeframe

Progress = Callable[[int, int, int], None]
"""Called a few times a second with bytes done, bytes in total, and rows read."""

EVERY = 0.2
"""Seconds between two calls of a progress callback."""

STAGED_SHARE = 0.7
"""Part of the work on a file that is done once it is staged: how its bytes count towards progress."""


def ingest(
    store: CandleRepository,
    files: Any,
    *,
    calendar: str | Calendar,
    timeframe: str | Timeframe = "1m",
    symbol: str | None = None,
    timezone: str | None = None,
    name: str | None = None,
    progress: Progress | None = None,
) -> IngestSummary:
    """Store the candles of ``files``: a path, folder, glob or Arrow table, or several of them.

    ``symbol`` names the series of files without a symbol column; of others, rows of another symbol are refused.
    ``timezone`` (IANA) says where times without an offset are. ``name``: what a single file is called in quarantine and
    warnings, where its path says nothing. Bad rows are quarantined; a second run of the same files
    changes nothing. Interrupted, it leaves whole series, and the next run completes them.

    Raises, before anything is stored, FileFormatError, MissingColumnError, NaiveTimeError, UnknownNameError or
    InputError for a file that cannot be used; InputError for a series that is stored with another calendar.
    """
    started = time.perf_counter()
    reading = Reading.of(calendar, timeframe, symbol, timezone)
    given = sources(files)
    for source in given:
        if name is not None:
            source.name = name + source.name.removeprefix(str(files))  # what is behind it names a member of an archive
        source.prepare(reading)
    tally = Tally()
    meter = _Meter(progress, sum(source.size for source in given))
    with staging_folder(store.staging) as folder:
        for at, source in enumerate(given):
            _File(store, source, reading, tally, meter).run(folder / str(at))
            meter.add(source.size)
    meter.show(0, tally.rows, force=True)
    return tally.summary(time.perf_counter() - started)


class _Meter:
    """Calls the progress callback, but not too often."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total = progress, total
        self._behind, self._last = 0, 0.0

    def add(self, size: int) -> None:
        self._behind += size

    def show(self, done: float, rows: int, *, force: bool = False) -> None:
        now = time.monotonic()
        if self._progress is not None and (force or now - self._last >= EVERY):
            self._last = now
            self._progress(min(self._total, self._behind + int(done)), self._total, rows)


class _File:
    """One file on its way into the store."""

    def __init__(self, store: CandleRepository, source: Source, reading: Reading, tally: Tally, meter: _Meter) -> None:
        self._store, self._source, self._reading, self._tally, self._meter = store, source, reading, tally, meter
        self._series: dict[str, int] = {}
        self._names: list[str] = []
        self._reasons: Counter[Reason] = Counter()
        self._stored = self._off_session = 0

    def run(self, folder: Path) -> None:
        staging = Staging(folder, self._source.size * self._source.expands)
        try:
            rows = self._stage(staging)
            with closing(ahead(_resolved(staging, rows))) as buckets:
                for share, resolved in buckets:
                    self._commit(staging, resolved)
                    done = self._source.size * (STAGED_SHARE + (1 - STAGED_SHARE) * share)
                    self._meter.show(done, self._tally.rows)
            self._quarantine(staging)
            self._warn(rows)
        finally:
            staging.close()

    def _stage(self, staging: Staging) -> int:
        seen = 0
        with closing(ahead(self._source.rows())) as pieces:
            for rows in pieces:
                problem = check(rows, self._reading.symbol)
                sound = problem == Reason.SOUND
                numbers = np.array([self._number(name) for name in rows.names], dtype=np.int32)
                staging.add(rows, numbers[rows.symbol], sound)
                for at in np.flatnonzero(~sound).tolist():
                    reason = Reason(problem[at])
                    self._reasons[reason] += 1
                    staging.refuse(int(rows.line[at]), rows.names[rows.symbol[at]], reason.phrase, rows.raw(at))
                seen += len(rows)
                self._tally.rows += len(rows)
                self._meter.show(rows.done * STAGED_SHARE, self._tally.rows)
        return seen

    def _commit(self, staging: Staging, resolved: Resolved) -> None:
        batch = list(self._candles(resolved.rows))
        for candles, done in zip(batch, self._store.upsert_many(batch), strict=True):
            self._tally.inserted += done.inserted
            self._tally.updated += done.updated
            self._tally.unchanged += done.unchanged
            self._tally.symbols.add(candles.symbol)
            for row, ratio in splits(candles.microseconds, candles.open, candles.close):
                self._tally.warnings.append(_split(candles, row, ratio))
        outside = len(resolved.rows) - int(
            np.count_nonzero(self._reading.calendar.inside(np.ascontiguousarray(resolved.rows["time"])))
        )
        self._stored += len(resolved.rows)
        self._off_session += outside
        self._tally.off_session += outside
        self._tally.duplicates += resolved.identical
        if len(resolved.conflicts):
            raws = self._source.raw([int(line) for line in resolved.conflicts["line"]])
            for row in resolved.conflicts:
                line, symbol = int(row["line"]), self._names[row["series"]]
                staging.refuse(line, symbol, Reason.CONFLICTING_DUPLICATE.phrase, raws[line])

    def _quarantine(self, staging: Staging) -> None:
        self._tally.quarantined += staging.refused
        if staging.refused:
            content, now = self._source.content(), time.time_ns() // 1000
            for rows in staging.refusals():
                self._store.quarantine(
                    [
                        QuarantinedRow(content, line, self._source.name, symbol, reason, raw, now)
                        for line, symbol, reason, raw in rows
                    ]
                )

    def _warn(self, rows: int) -> None:
        warn, calendar = self._tally.warnings.append, self._reading.calendar.name
        unread = self._reasons[Reason.UNREADABLE_TIME]
        if rows and unread == rows:
            forms = "ISO 8601 (2024-01-02T09:30:00-05:00) or epoch seconds, milliseconds, microseconds, nanoseconds"
            warn(f"{self._source.name}: no row has a readable time; times are {forms}")
        if beyond := self._reasons[Reason.BEYOND_CALENDAR]:
            since, until = (iso(at)[:10] for at in self._reading.calendar.known)
            warn(f"{self._source.name}: {beyond:,} of its rows lie beyond what {calendar} knows ({since} to {until})")
        if self._stored and self._off_session == self._stored:
            dates = "" if self._reading.timeframe.intraday else "; give bare dates (session labels)"
            warn(f"{self._source.name}: no stored row is inside a session of {calendar}{dates}")

    def _number(self, name: str) -> int:
        number = self._series.setdefault(name, len(self._names))
        if number == len(self._names):
            self._names.append(name)
        return number

    def _candles(self, rows: Staged) -> Iterator[Candles]:
        series = rows["series"]
        cuts = [0, *(np.flatnonzero(np.diff(series)) + 1).tolist(), len(rows)]
        columns = {name: np.ascontiguousarray(rows[name]) for name in ("time", *VALUES)}
        for first, stop in pairwise(cuts):
            if first < stop:
                yield Candles.trusted(
                    self._names[series[first]],
                    self._reading.timeframe,
                    self._reading.calendar,
                    columns["time"][first:stop],
                    {name: columns[name][first:stop] for name in VALUES},
                )


def _resolved(staging: Staging, rows: int) -> Iterator[tuple[float, Resolved]]:
    """The buckets, sorted and deduplicated, each with the share of the rows behind it."""
    done = 0
    for bucket in staging.buckets():
        done += len(bucket)
        yield done / max(1, rows), resolve(bucket)


def _split(candles: Candles, row: int, ratio: str) -> str:
    before, after = float(candles.close[row - 1]), float(candles.close[row])
    at = iso(int(candles.microseconds[row]))
    return f"{candles.symbol}: looks like a {ratio} split at {at} ({before:g} to {after:g}); prices are not adjusted"

"""A CSV file into a DuckDB file."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from candlewick.benchmarks.agreement import Answers
from candlewick.benchmarks.benchmark import Benchmark
from candlewick.benchmarks.candle_data import CALENDAR, universe
from candlewick.benchmarks.contest import Contender, Contest, LeftOut
from candlewick.benchmarks.goal import Within
from candlewick.errors import StoreError
from candlewick.sources.ingest import ingest
from candlewick.store.open import open_store

SYMBOLS, ROWS = 50, 20_000
QUICK_SYMBOLS, QUICK_ROWS = 3, 500
ROUNDS, QUICK_ROUNDS = 7, 2
READ = "SELECT symbol, time, open, high, low, close, volume FROM read_csv('{file}')"


def from_csv(symbols: int, rows: int, rounds: int, folder: Path) -> Contest:
    """``rows`` of each of ``symbols``, series after series, times in ISO with Z. Every call makes a new store."""
    file = folder / "candles.csv"
    write_csv(file, symbols, rows)
    total = symbols * rows
    ours, floor, pandas = (Target(folder / name) for name in ("candlewick", "duckdb", "pandas"))

    def checked() -> Any:
        path = ours.next()
        with open_store(f"duckdb:///{path}") as store:
            summary = ingest(store, [file], calendar=CALENDAR)
        return path, summary.inserted

    contenders = [
        Contender(
            "candlewick (checked)",
            total,
            lambda: checked,
            _of_store,
            ours=True,
            after=ours.clear,
            note="every row checked, deduplicated, one transaction a series",
        ),
        Contender(
            "DuckDB read_csv (unchecked)",
            total,
            lambda: lambda: _by_duckdb(file, floor.next()),
            _of_duckdb,
            ("duckdb",),
            after=floor.clear,
            note="on all cores; checks nothing: the floor, not a peer for the job",
        ),
        Contender(
            "pandas read_csv to DuckDB (unchecked)",
            total,
            lambda: lambda: _by_pandas(file, pandas.next()),
            _of_duckdb,
            ("pandas", "duckdb"),
            after=pandas.clear,
            note="checks nothing",
        ),
    ]
    elsewhere = "reads no files into a store"
    left_out = [LeftOut(name, elsewhere) for name in ("TA-Lib + numpy", "polars-talib", "talipp")]
    left_out.append(LeftOut("polars", "has no DuckDB writer of its own; DuckDB's reader is the floor"))
    bytes_per_unit = file.stat().st_size / total + 8.0 * 6
    return Contest(contenders, bytes_per_unit, rounds, left_out, about=f"{file.stat().st_size / 1e6:.0f} MB of CSV")


class Target:
    """A new DuckDB file for every call in a folder of its own; ``clear`` removes what the call left there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    def next(self) -> Path:
        """A path at which nothing is yet."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{next(self._numbers)}.duckdb"

    def clear(self) -> None:
        """Remove every store made so far."""
        shutil.rmtree(self._folder, ignore_errors=True)


def write_csv(file: Path, symbols: int, rows: int) -> None:
    """``symbol,time,open,high,low,close,volume``, series after series."""
    with file.open("w", encoding="utf-8", newline="") as out:
        out.write("symbol,time,open,high,low,close,volume\n")
        for candles in universe(symbols, rows):
            times = np.datetime_as_string(candles.time, unit="s").tolist()
            columns = (getattr(candles, name).tolist() for name in ("open", "high", "low", "close", "volume"))
            for time, open_, high, low, close, volume in zip(times, *columns, strict=True):
                out.write(f"{candles.symbol},{time}Z,{open_},{high},{low},{close},{int(volume)}\n")


def _by_duckdb(file: Path, path: Path) -> Path:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE candles AS " + READ.format(file=str(file).replace("'", "''")))
    return path


def _by_pandas(file: Path, path: Path) -> Path:
    import duckdb
    import pandas as pd

    frame = pd.read_csv(file, parse_dates=["time"])
    with duckdb.connect(str(path)) as connection:
        connection.register("frame", frame)
        connection.execute("CREATE TABLE candles AS SELECT * FROM frame")
    return path


def _of_duckdb(path: Path) -> Answers:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "SELECT symbol, count(*), epoch_us(min(time)), epoch_us(max(time)), sum(close), sum(volume) FROM candles "
            "GROUP BY symbol ORDER BY symbol"
        ).fetchall()
    return _summary([tuple(row[1:]) for row in found])


def _of_store(outcome: tuple[Path, int]) -> Answers:
    path, inserted = outcome
    rows = []
    with open_store(f"duckdb:///{path}") as store:
        for series in sorted(store.series(), key=lambda one: one.symbol):
            found = store.read(series.symbol, series.timeframe)
            time = found.microseconds
            rows.append((len(found), int(time[0]), int(time[-1]), found.close.sum(), found.volume.sum()))
    if sum(row[0] for row in rows) != inserted:
        raise StoreError(f"{inserted} rows were said to be inserted, {sum(row[0] for row in rows)} are stored")
    return _summary(rows)


def _summary(rows: list[tuple[Any, ...]]) -> Answers:
    names = ("rows", "first_minute", "last_minute", "close", "volume")
    table = np.array(rows, dtype=np.float64).T
    table[1:3] //= 60_000_000
    return dict(zip(names, table, strict=True))


INGEST = Benchmark(
    name="ingest",
    title="CSV to DuckDB, checked, 1M rows of 50 symbols",
    unit="row",
    target=(Within(2_000, "500k rows/s"),),
    stretch=(Within(1_000, "1M rows/s"),),
    full=lambda folder: from_csv(SYMBOLS, ROWS, ROUNDS, folder),
    quick=lambda folder: from_csv(QUICK_SYMBOLS, QUICK_ROWS, QUICK_ROUNDS, folder),
)

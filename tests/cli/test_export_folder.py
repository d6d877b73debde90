"""Export by month: what is written is what ingest takes back, whole files, and nothing that did not change."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow.parquet as parquet
import pytest
from tests.cli.conftest import Run

from candlewick.candles import Candles
from candlewick.cli.export_folder import export_folder, parquet_of
from candlewick.errors import InputError, StoreError
from candlewick.sessions.calendar import find_calendar
from candlewick.sources.simulated import simulate
from candlewick.store.memory import MemoryStore
from candlewick.store.open import open_store
from candlewick.store.repository import Series

DAY = 86_400_000_000
SYMBOLS = ("AAA", "BTC/USD", "..", "CON")


def daily(symbol: str, first: str, count: int, calendar: str = "24/7") -> Candles:
    base = 100.0 + np.arange(count)
    time = np.datetime64(first, "us") + np.arange(count) * np.timedelta64(1, "D")
    prices = {"open": base, "high": base + 1, "low": base - 1, "close": base, "volume": base}
    return Candles(symbol=symbol, timeframe="1d", calendar=calendar, time=time, **prices)


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of minutes and days of symbols that no folder should be called after."""
    path = tmp_path / "a.duckdb"
    with open_store(path) as store:
        store.upsert_many([daily(symbol, "2023-12-30", 70) for symbol in SYMBOLS])
        store.upsert_many(list(simulate(["AAA", "A|B"], "XNYS", 3, seed=1, start="2024-01-30")))
    monkeypatch.setenv("CANDLEWICK_STORE", str(path))
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def test_a_folder_is_taken_back_row_by_row(run: Run, filled: Path, tmp_path: Path) -> None:
    done = run("export", "--folder", "out", "--by", "month", "--format", "parquet", "--json")
    assert done.code == 0
    told = done.json
    lying = files(tmp_path / "out")
    assert (told["files"], told["written"], told["unchanged"], told["removed"]) == (len(lying), len(lying), 0, 0)
    assert sorted(lying)[:4] == [f"%2E%2E/1d/{one}.parquet" for one in ("2023-12", "2024-01", "2024-02", "2024-03")]
    assert {"A%7CB/1m/2024-01.parquet", "A%7CB/1m/2024-02.parquet", "BTC%2FUSD/1d/2024-01.parquet"} < set(lying)
    assert {one.name for one in tmp_path.iterdir()} == {"a.duckdb", "out"}
    with open_store(filled) as store:
        before = {(one.symbol, one.timeframe): store.read(one.symbol, one.timeframe) for one in store.series()}
    assert told["rows"] == sum(map(len, before.values()))
    for one in told["series"]:
        assert unquote(Path(one["folder"]).parent.name) == one["symbol"]
    for length, calendar in (("1d", "24/7"), ("1m", "XNYS")):
        pattern = f"out/*/{length}/*.parquet"
        code = run("ingest", pattern, "--timeframe", length, "--calendar", calendar, "--store", "b.duckdb").code
        assert code == 0
    with open_store(tmp_path / "b.duckdb") as store:
        assert {(one.symbol, one.timeframe): store.read(one.symbol, one.timeframe) for one in store.series()} == before


def test_what_did_not_change_is_left_alone(run: Run, filled: Path, tmp_path: Path) -> None:
    first = run("export", "--folder", "out", "AAA", "BTC/USD", "--timeframe", "1d")
    assert (first.code, first.out) == (0, "")
    assert "140 candles of 2 series in 8 files by month in out: 8 written, 0 unchanged" in first.err
    lying = files(tmp_path / "out")
    for file in (tmp_path / "out").rglob("*.parquet"):
        os.utime(file, (1, 1))
    left = tmp_path / "out" / "AAA" / "1d" / ".2024-01.parquet.abc.part"
    left.write_bytes(b"half")
    other = tmp_path / "out" / "AAA" / "1d" / "notes.txt"
    other.write_text("mine")
    (tmp_path / "out" / "BTC%2FUSD" / "1d" / "2024-02.parquet").unlink()  # cut off before it
    with open_store(filled) as store:
        store.upsert(daily("AAA", "2024-03-09", 1))
        store.delete("AAA", "1d", "2023-12-01", "2024-01-01")
    again = run("export", "--folder", "out", "AAA", "BTC/USD", "--timeframe", "1d")
    assert "7 files by month in out: 2 written, 5 unchanged, 1 removed" in again.err
    assert not left.exists()
    assert other.read_text() == "mine"
    now = files(tmp_path / "out")
    changed = {name for name in lying if now.get(name) != lying[name]}
    assert changed == {"AAA/1d/2023-12.parquet", "AAA/1d/2024-03.parquet"}
    touched = {one.name for one in (tmp_path / "out").rglob("*.parquet") if one.stat().st_mtime != 1}
    assert touched == {"2024-03.parquet", "2024-02.parquet"}


def test_a_range_is_of_whole_months_and_touches_no_other(run: Run, filled: Path, tmp_path: Path) -> None:
    assert run("export", "AAA", "--folder", "out", "--timeframe", "1d").code == 0
    lying = files(tmp_path / "out")
    with open_store(filled) as store:
        store.delete("AAA", "1d")
        store.upsert(daily("AAA", "2024-02-05", 5))
    ran = run("export", "AAA", "--folder", "out", "--start", "2024-02-07", "--end", "2024-02-08", "--timeframe", "1d")
    assert "5 candles of 1 series in 1 files by month in out: 1 written, 0 unchanged\n" in ran.err
    now = files(tmp_path / "out")
    assert {name for name in lying if now.get(name) != lying[name]} == {"AAA/1d/2024-02.parquet"}
    for edges in (("--end", "2023-11-05"), ("--start", "2024-06-01"), ("--start", "2024-01-05", "--end", "2024-01-06")):
        assert run("export", "AAA", "--folder", "out", "--timeframe", "1d", *edges).code == 0
        gone = set(now) - set(files(tmp_path / "out"))
        assert gone == ({"AAA/1d/2024-01.parquet"} if len(edges) == 4 else set())


def test_as_of_writes_what_was_known(run: Run, filled: Path, tmp_path: Path) -> None:
    with open_store(filled) as store:
        before = store.read("AAA", "1d")
        at = store.writes("AAA", "1d")[-1].written_at
        store.delete("AAA", "1d")
    assert run("export", "AAA", "--folder", "out", "--timeframe", "1d").code == 2
    moment = f"{np.datetime64(at, 'us')}Z"
    assert run("export", "AAA", "--folder", "out", "--timeframe", "1d", "--as-of", moment).code == 0
    tables = [parquet.read_table(one) for one in sorted((tmp_path / "out").rglob("*.parquet"))]
    assert sum(len(one) for one in tables) == len(before)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("export",), "symbol: None is missing; give one symbol, or --folder DIR for many"),
        (("export", "AAA", "CON"), "symbol: 'AAA CON' are too many"),
        (("export", "AAA", "--timeframe", "1d", "--json"), "json: '--json' has nothing to tell"),
        (("export", "--folder", "out", "--output", "a.parquet"), "output: 'a.parquet' contradicts --folder"),
        (("export", "--folder", "out", "--format", "csv"), "format: 'csv' is not what --folder writes"),
        (("export", "--folder", "out", "AAAA"), "symbol: 'AAAA' is not in the store"),
        (("export", "--folder", "out", "AAA", "--timeframe", "5m"), "timeframe: '5m' is not in the store"),
        (("export", "--folder", "a.duckdb"), "folder: 'a.duckdb' fails"),
    ],
)
def test_what_cannot_be_written_is_told(run: Run, filled: Path, arguments: tuple[str, ...], says: str) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert says in ran.err
    assert not Path("out").exists()


class Rewritten(MemoryStore):
    """A store whose past changes as often as it is read, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def read(self, *given: Any, **named: Any) -> Candles:
        found = super().read(*given, **named)
        if self.times:
            self.times -= 1
            one = daily("AAA", "2024-01-02", 1)
            value = one.volume + self.times + 1
            prices = {name: getattr(one, name) for name in ("open", "high", "low", "close")}
            sessions = find_calendar("24/7")
            self.upsert(Candles.trusted("AAA", one.timeframe, sessions, one.microseconds, {**prices, "volume": value}))
        return found


def whole(_: Series) -> tuple[None, None]:
    return None, None


def test_a_series_that_is_rewritten_meanwhile_is_written_again(tmp_path: Path) -> None:
    store = Rewritten(2)
    store.upsert(daily("AAA", "2024-01-01", 10))
    heard: list[int] = []
    done = export_folder(store, tmp_path / "out", store.series(), whole, lambda _, rows: heard.append(rows))
    assert heard == [10, 10, 10]
    assert (done.files, done.rows) == (1, 10)
    wanted = parquet_of(store.read("AAA", "1d"))
    assert (tmp_path / "out" / "AAA" / "1d" / "2024-01.parquet").read_bytes() == wanted
    store.times = 100
    with pytest.raises(StoreError, match="give --as-of"):
        export_folder(store, tmp_path / "out", store.series(), whole, lambda *_: None)


def test_a_file_system_that_does_not_tell_two_symbols_apart_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    store.upsert(daily("aaa", "2024-01-01", 1))
    monkeypatch.setattr(Path, "iterdir", lambda _: iter([Path("AAA")]))
    with pytest.raises(InputError, match="differ only in case"):
        export_folder(store, tmp_path, store.series(), whole, lambda *_: None)


@pytest.mark.skipif(sys.platform == "win32", reason="counts with resource")
@pytest.mark.slow
def test_five_million_rows_take_the_memory_of_a_month(tmp_path: Path) -> None:
    import tracemalloc

    count, minute = 5_000_000, 60_000_000
    base = np.full(count, 100.0)
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), base)
    store = open_store(tmp_path / "a.duckdb")
    time = np.datetime64("2015-01-01", "us") + np.arange(count) * np.timedelta64(minute, "us")
    store.upsert(Candles(symbol="AAA", timeframe="1m", calendar="24/7", time=time, **prices))
    tracemalloc.start()
    done = export_folder(store, tmp_path / "out", store.series(), whole, lambda *_: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    store.close()
    assert done.rows == count
    assert peak < 40 << 20

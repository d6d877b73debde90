"""candles: the same numbers as the library in every form, and only the rows asked for."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.command_line import invoke

from candlewick.engine.query import query
from candlewick.store.open import open_store

DESK = (
    "time,open,high,low,close,volume,n,final,sma_9,bollinger_20_2_upper,bollinger_20_2_middle,bollinger_20_2_lower,"
    "bollinger_20_2_width,vwap,ema_5,ema_9,ema_50,atr_14,rsi_14"
)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_is_the_answer_of_the_library_to_the_last_bit(run: Any, store: Path) -> None:
    ran = run("candles", "AAPL", "--timeframe", "5m", "--indicators", "desk", "--format", "csv")
    assert ran.code == 0
    assert ran.out.splitlines()[0] == DESK
    with open_store(store) as repository:
        answer = query(repository, "AAPL", "5m", "desk")
    rows = table(ran.out)
    assert len(rows) == len(answer.bars) == 78
    assert answer.indicators is not None
    for name in ("open", "high", "low", "close", "volume"):
        assert [float(row[name]) for row in rows] == getattr(answer.bars, name).tolist()
    for name, values in answer.indicators.items():
        given = np.array([float(row[name] or "nan") for row in rows])
        assert np.array_equal(given, values, equal_nan=True)
    assert rows[0]["time"] == "2024-01-02T14:30:00Z"
    assert rows[0]["sma_9"] == ""
    assert rows[0]["n"] == "5"
    assert {row["final"] for row in rows} == {"true"}
    assert "AAPL 5m (made of 1m): 78 bars" in ran.err


def test_json_is_one_value_with_the_same_numbers(run: Any, store: Path) -> None:
    arguments = ("candles", "AAPL", "--timeframe", "5m", "--indicators", "sma(9),bollinger(20,2)")
    found = run(*arguments, "--json").json
    assert found == run(*arguments, "--format", "json").json
    assert (found["symbol"], found["timeframe"], found["source"]) == ("AAPL", "5m", "1m")
    rows = table(run(*arguments, "--format", "csv").out)
    assert list(found["columns"]) == list(rows[0])
    assert found["columns"]["sma_9"] == [float(row["sma_9"]) if row["sma_9"] else None for row in rows]
    assert found["columns"]["time"][0] == 1704205800000
    assert found["columns"]["final"][0] is True


def test_the_table_shows_the_last_rows_and_names_the_source(run: Any, store: Path) -> None:
    ran = run("candles", "AAPL", "--timeframe", "5m")
    lines = ran.out.splitlines()
    assert lines[0].split() == ["time", "open", "high", "low", "close", "volume", "n", "final"]
    assert lines[-1] == "AAPL 5m (made of 1m): the last 20 of 78 bars"
    assert ran.err == ""


def test_a_range_cuts_bars_and_changes_no_value(run: Any, store: Path) -> None:
    arguments = ("candles", "AAPL", "--timeframe", "5m", "--indicators", "ema(5)", "--format", "csv")
    whole = table(run(*arguments).out)
    cut = table(run(*arguments, "--start", "2024-01-02T10:00:00-05:00", "--end", "2024-01-02T16:00:00Z").out)
    assert cut == [row for row in whole if "2024-01-02T15:00:00Z" <= row["time"] < "2024-01-02T16:00:00Z"]
    assert len(cut) == 12
    naive = ("--start", "2024-01-02T10:00", "--end", "2024-01-02T11:00", "--timezone", "America/New_York")
    assert table(run(*arguments, *naive).out) == cut
    assert table(run(*arguments, "--start", "2024-01-02", "--end", "2024-01-03").out) == whole
    assert table(run(*arguments, "--start", "2024-01-03").out) == []


def test_an_answer_without_bars_still_has_its_columns(run: Any, store: Path) -> None:
    arguments = ("candles", "AAPL", "--timeframe", "5m", "--indicators", "rsi", "--start", "2024-01-03")
    assert run(*arguments, "--format", "csv").out == "time,open,high,low,close,volume,n,final,rsi_14\n"
    assert run(*arguments, "--json").json["columns"]["rsi_14"] == []
    assert run(*arguments).out.endswith(": 0 bars\n")


def test_the_forming_bar_is_shown_unless_only_final_ones_are_wanted(run: Any, store: Path) -> None:
    arguments = ("candles", "BTC/USD", "--timeframe", "1h", "--format", "csv", "--source", "1m")
    assert [row["final"] for row in table(run(*arguments).out)] == ["true", "true", "false"]
    assert [row["final"] for row in table(run(*arguments, "--final-only").out)] == ["true", "true"]


def test_the_source_may_be_chosen(run: Any, store: Path) -> None:
    days = run("candles", "BTC/USD", "--timeframe", "1d", "--json").json
    minutes = run("candles", "BTC/USD", "--timeframe", "1d", "--source", "1m", "--json").json
    assert (days["source"], len(days["columns"]["time"])) == ("1d", 2)
    assert (minutes["source"], minutes["columns"]["n"]) == ("1m", [100])


def test_extended_hours_show_the_candles_outside(run: Any, store: Path) -> None:
    rows = table(run("candles", "AAPL", "--timeframe", "1m", "--hours", "extended", "--format", "csv").out)
    times = [row["time"] for row in rows]
    assert times[:5] == [f"2024-01-02T14:{minute}:00Z" for minute in range(25, 30)]
    assert times[5:] == [f"2024-01-02T21:0{minute}:00Z" for minute in range(5)]
    late = ("--hours", "extended", "--start", "2024-01-02", "--zero-volume", "drop")
    assert len(run("candles", "AAPL", "--timeframe", "1m", *late, "--json").json["columns"]["time"]) == 5


@pytest.mark.parametrize("name", ["bars.csv", "bars.json", "bars.parquet"])
def test_output_takes_its_form_from_its_name(run: Any, store: Path, tmp_path: Path, name: str) -> None:
    arguments = ("candles", "AAPL", "--timeframe", "1h", "--indicators", "sma(2)")
    ran = run(*arguments, "--output", name)
    assert (ran.code, ran.out) == (0, "")
    assert f"bars in {name}" in ran.err
    written = tmp_path / name
    if name.endswith(".parquet"):
        read = pq.read_table(written)
        assert read["sma_2"].to_pylist() == run(*arguments, "--json").json["columns"]["sma_2"]
        assert read.schema.metadata[b"candlewick.source"] == b"1m"
    else:
        assert written.read_text() == run(*arguments, "--format", name[5:]).out
    assert sorted(file.name for file in tmp_path.glob("*bars*")) == [name]


def test_parquet_goes_into_a_pipe(run: Any, store: Path) -> None:
    result = invoke("candles", "AAPL", "--timeframe", "1h", "--format", "parquet")
    assert pq.read_table(io.BytesIO(result.stdout_bytes)).num_rows == 7


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--engine", "fast"), "engine: 'fast' is unknown; known: classic, optimized"),
        (("--json", "--format", "csv"), "format: 'csv' contradicts --json"),
        (("--format", "table", "--output", "x.csv"), "format: 'table' is for reading; give --format csv, json"),
        (("--output", "x.txt"), "format: 'table' is for reading"),
        (("--output", "no/such/x.csv"), "output: 'no/such/x.csv' has no folder to be in"),
        (("--hours", "extended"), "timeframe: '5m' cannot be shown with --hours extended; give --timeframe 1m"),
        (("--source", "7x"), "source: '7x' is not valid; give whole minutes"),
        (("--source", "1d"), "source: '1d' is not stored; stored of AAPL are: 1m"),
        (("--start", "soon"), "start: 'soon' is not a time; give ISO 8601"),
    ],
)
def test_what_cannot_be_done_is_refused(run: Any, store: Path, more: tuple[str, ...], message: str) -> None:
    ran = run("candles", "AAPL", "--timeframe", "5m", *more)
    assert ran.code == 2
    assert message in ran.err
    if "--json" in more:
        assert message in ran.json["error"]["detail"]
    else:
        assert ran.out == ""


def test_extended_hours_have_no_indicators(run: Any, store: Path) -> None:
    ran = run("candles", "AAPL", "--timeframe", "1m", "--hours", "extended", "--indicators", "sma(9)")
    assert ran.code == 2
    assert "indicators: 'sma(9)' cannot be had with --hours extended" in ran.err


def test_the_classic_engine_shows_the_same_bars(run: Any, store: Path) -> None:
    asked = ("candles", "AAPL", "--timeframe", "5m", "--indicators", "sma(9)", "--start", "2024-01-02", "--json")
    ours, theirs = (run(*asked, "--engine", engine).json["columns"] for engine in ("optimized", "classic"))
    assert list(ours) == list(theirs)
    for name in ("time", "open", "high", "low", "close", "volume", "n", "final"):
        assert ours[name] == theirs[name]
    assert theirs["sma_9"][:8] == ours["sma_9"][:8] == [None] * 8
    assert theirs["sma_9"][8:] == pytest.approx(ours["sma_9"][8:], rel=1e-9)

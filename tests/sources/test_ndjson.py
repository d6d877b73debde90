"""NDJSON: the rows of one object a line are those of the same CSV, and what is wrong has its line number."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.candles import VALUES
from candlewick.errors import FileFormatError, InputError, MissingColumnError, NaiveTimeError
from candlewick.sources import text_file
from candlewick.sources.ingest import ingest
from candlewick.sources.ndjson import parsed
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository

ROW = {"symbol": "A", "time": "2024-01-02T14:30:00Z", "open": 10, "high": 11, "low": 9, "close": 10.5, "volume": 5}


def row(**changed: Any) -> str:
    return json.dumps({name: value for name, value in (ROW | changed).items() if value is not ...})


def taken(path: Path, lines: list[str], **about: Any) -> tuple[CandleRepository, Any]:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    store = MemoryStore()
    return store, ingest(store, path, **({"calendar": "XNYS"} | about))


def test_rows_are_stored_or_quarantined_with_their_line(tmp_path: Path) -> None:
    lines = [
        row(),
        "",
        row(time="2024-01-02T14:31:00Z", volume="7", note="a member more"),
        "[1, 2]",
        "no json",
        row(time="2024-01-02T14:32:00Z", close=...),
        row(time="2024-01-02T14:33:00Z", close=None),
        row(time="2024-01-02T14:34:00Z", close=True),
        row(time="2024-01-02T14:35:00Z", high=1),
        row(time=[1]),
        row(symbol=""),
        row(time="2024-01-02T14:36:00Z", volume=10**400),
    ]
    store, summary = taken(tmp_path / "a.ndjson", lines)
    assert (summary.rows, summary.inserted, summary.quarantined) == (11, 2, 9)
    assert [(one.line, one.reason) for one in store.quarantined()] == [
        (4, "not a JSON object"),
        (5, "not a JSON object"),
        (6, "too few fields"),
        (7, "not a number"),
        (8, "not a number"),
        (9, "high below open or close"),
        (10, "unreadable time"),
        (11, "no symbol"),
        (12, "not a number"),
    ]
    assert next(one.row for one in store.quarantined() if one.line == 4) == "[1, 2]"
    assert store.read("A", "1m").volume.tolist() == [5.0, 7.0]


def test_bytes_that_are_no_text_are_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(row().encode() + b"\n\xff\xfe\n")
    with MemoryStore() as store:
        assert ingest(store, path, calendar="XNYS").quarantined == 1
        assert [(one.line, one.reason) for one in store.quarantined()] == [(2, "not UTF-8 text")]


def test_members_have_the_names_of_columns(tmp_path: Path) -> None:
    lines = [
        '{"T": 1704205800000, "O": 1, "H": 2, "L": 1, "C": 2, "V": 3.0}',
        '{"V": 4, "C": 2, "L": 1, "H": 2, "O": 1, "T": 1704205860000.0}',
    ]
    store, summary = taken(tmp_path / "a.ndjson", lines, symbol="X")
    assert summary.inserted == 2
    assert store.read("X", "1m").volume.tolist() == [3.0, 4.0]


def test_a_date_and_a_time_of_day_belong_together(tmp_path: Path) -> None:
    lines = [row(date="2024-01-02", time="09:30"), row(date=..., time="09:31")]
    store, summary = taken(tmp_path / "a.ndjson", lines, timezone="America/New_York")
    assert (summary.inserted, summary.quarantined) == (1, 1)
    assert store.quarantined()[0].reason == "too few fields"
    assert store.earliest("A", "1m").microseconds.tolist() == [1_704_205_800_000_000]


def test_a_packed_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(gzip.compress(row().encode()))
    with MemoryStore() as store:
        assert ingest(store, path, calendar="XNYS").inserted == 1


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("", FileFormatError, "empty file"),
        ("\n \n", FileFormatError, "empty file"),
        ("time,open\n1,2\n", FileFormatError, "begins with no JSON object"),
        ("{}\n", FileFormatError, "begins with no JSON object"),
        (row(close=...), MissingColumnError, "close"),
        (row(symbol=...), InputError, "has no symbol column"),
        (row(time="2024-01-02T14:30:00"), NaiveTimeError, "timezone"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_stored(tmp_path, text, error, match) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(text)
    with MemoryStore() as store, pytest.raises(error, match=match):
        ingest(store, path, calendar="XNYS")


def test_the_same_rows_as_csv_in_any_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_file, "BLOCK", 300)
    monkeypatch.setattr(text_file, "HEAD", 200)
    chance = np.random.default_rng(5)
    times = 1_704_205_800 + 60 * np.arange(50)
    numbers = [[round(float(one), 3) for one in 10 + chance.normal(0, 2, 5)] for _ in times]
    names = ("open", "high", "low", "close", "volume")
    objects = [
        {"time": int(at)} | dict(zip(names, values, strict=True)) for at, values in zip(times, numbers, strict=True)
    ]
    (tmp_path / "a.csv").write_text(
        "time,open,high,low,close,volume\n"
        + "".join(f"{at},{','.join(map(repr, values))}\n" for at, values in zip(times, numbers, strict=True))
    )
    left, first = taken(tmp_path / "a.ndjson", [json.dumps(one) for one in objects], symbol="A")
    with MemoryStore() as right:
        second = ingest(right, tmp_path / "a.csv", calendar="XNYS", symbol="A")
        assert (first.rows, first.inserted, first.quarantined) == (second.rows, second.inserted, second.quarantined)
        assert first.quarantined > 0
        assert [(one.line + 1, one.reason) for one in left.quarantined()] == [
            (one.line, one.reason) for one in right.quarantined()
        ]
        for name in ("microseconds", *VALUES):
            np.testing.assert_array_equal(getattr(left.read("A", "1m"), name), getattr(right.read("A", "1m"), name))


@given(st.binary(max_size=80))
def test_any_line_is_an_object_or_none(line: bytes) -> None:
    found = parsed(line)
    assert found is None or isinstance(found, dict)


def test_a_deep_line_is_no_object() -> None:
    assert parsed(b"[" * 100_000) is None

"""Served answers: from Arrow and from JSON the same values; what is neither is told."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from candlewick.candles import VALUES
from candlewick.client.remembered import Kept, Remembered
from candlewick.client.served_answer import ABOUT, ServedAnswer, of_arrow, of_json, of_values
from candlewick.errors import FileFormatError
from candlewick.service.answer import Answer
from candlewick.sessions.calendar import find_calendar
from candlewick.timeframe import Timeframe

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def answered(columns: dict[str, Any], times: Any) -> Answer:
    """An answer of an engine."""
    from candlewick.bars import Bars

    rows = len(times)
    length = Timeframe.parse("1m")
    bars = Bars.made(
        "A/B|C",
        length,
        find_calendar("24/7"),
        np.array(times, dtype=np.int64) * 1000,
        {name: columns[name] for name in VALUES},
        n=np.arange(rows, dtype=np.int32),
        final=np.arange(rows) % 2 == 0,
        anchor=np.zeros(rows, dtype=np.uint8),
        source=length,
    )
    return Answer(bars, {"sma_2": columns["sma_2"]}, length, "optimized", 7, "f" * 32, 0.0)


@given(st.data(), st.integers(0, 20))
def test_arrow_and_json_give_the_same_bits(data: st.DataObject, rows: int) -> None:
    column = arrays.arrays(np.float64, rows, elements=FLOATS)
    columns = {name: data.draw(column) for name in VALUES}
    columns["sma_2"] = data.draw(arrays.arrays(np.float64, rows, elements=FLOATS | st.just(np.nan)))
    right = answered(columns, sorted(data.draw(st.sets(st.integers(-(10**12), 10**12), min_size=rows, max_size=rows))))
    by_arrow, by_json = of_arrow(right.arrow()), of_json(json.loads(right.json()))
    for found in (by_arrow, by_json):
        assert list(found.columns) == list(right.columns)
        for name, values in right.columns.items():
            assert found[name].dtype == values.dtype
            assert np.nan_to_num(found[name]).tobytes() == np.nan_to_num(values).tobytes() or name == "time"
        assert (found.time == right.columns["time"]).all()
        assert np.isnan(found["sma_2"]).tolist() == np.isnan(columns["sma_2"]).tolist()
        assert {name: str(getattr(found, name)) for name in ABOUT} == {k: str(v) for k, v in right.about.items()}
    assert by_arrow == by_json


def test_how_an_answer_was_come_by() -> None:
    about = dict.fromkeys(ABOUT, "1") | {"timeframe": "5m", "source": "1m"}
    how = {"x-candlewick-arm": "optimized", "x-candlewick-cache": "hit", "x-candlewick-fallback": "true"}
    answer = ServedAnswer(about, {})
    assert (answer.arm, answer.cache, answer.fallback) == ("explicit", "none", False)
    other = answer.served(how)
    assert (other.arm, other.cache, other.fallback) == ("optimized", "hit", True)


@pytest.mark.parametrize("value", [None, [], 7, {}, {"columns": 5}, {"columns": {}}])
def test_json_of_something_else_is_told(value: Any) -> None:
    with pytest.raises(FileFormatError, match=r"answer: 'symbol, timeframe.* is missing"):
        of_json(value)


def test_arrow_of_something_else_is_told() -> None:
    for body in (b"", b"{}", b"\xff" * 100):
        with pytest.raises(FileFormatError, match="is no Arrow stream"):
            of_arrow(body)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([("x", pa.int32())])):
        pass
    with pytest.raises(FileFormatError, match="is missing; ask a candlewick server"):
        of_arrow(sink.getvalue().to_pybytes())


def test_times_of_another_unit_are_the_same() -> None:
    for unit in ("s", "ms", "us", "ns"):
        sink = pa.BufferOutputStream()
        names = ("time", *VALUES, "n", "final")
        table = pa.table(
            {name: pa.array([60], pa.timestamp("s", "UTC")).cast(pa.timestamp(unit, "UTC")) for name in names}
        )
        about = dict.fromkeys(ABOUT, "1") | {"timeframe": "5m", "source": "1m"}
        with pa.ipc.new_stream(sink, table.schema.with_metadata(about)) as writer:
            writer.write_table(table)
        assert of_arrow(sink.getvalue().to_pybytes()).time.tolist() == [np.datetime64(60, "s").tolist()]


def test_columns_of_values() -> None:
    assert of_values("n", [1]).dtype == np.int32
    assert of_values("final", [True]).dtype == np.bool_
    assert of_values("time", [1500]).astype(np.int64).tolist() == [1_500_000]
    assert np.isnan(of_values("sma_2", [None])).all()


def kept(tag: str, rows: int) -> Kept:
    about = dict.fromkeys(ABOUT, "1") | {"timeframe": "5m", "source": "1m"}
    return Kept(tag, ServedAnswer(about, {"close": np.zeros(rows)}))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 12), st.booleans()), max_size=40), st.integers(0, 200))
def test_what_is_remembered_is_the_newest_and_bounded(steps: list[tuple[int, int, bool]], limit: int) -> None:
    remembered = Remembered(limit)
    model: dict[int, Kept] = {}
    for question, rows, write in steps:
        if write:
            one = kept(f"{question}-{rows}", rows)
            remembered.keep(question, one)
            model.pop(question, None)
            if one.size <= limit:
                model[question] = one
                while sum(each.size for each in model.values()) > limit:
                    del model[next(iter(model))]
        else:
            assert remembered.find(question) is model.get(question)
            if question in model:
                model[question] = model.pop(question)
        assert remembered.bytes == sum(each.size for each in model.values()) <= limit

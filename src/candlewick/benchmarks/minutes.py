"""One-minute candles to five-minute bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from candlewick.aggregation.batch import aggregate
from candlewick.benchmarks.agreement import Answers
from candlewick.benchmarks.benchmark import QUICK_ROUNDS, ROUNDS, Benchmark
from candlewick.benchmarks.candle_data import minute_candles
from candlewick.benchmarks.contest import Contender, Contest, LeftOut
from candlewick.benchmarks.goal import Faster, Within
from candlewick.candles import VALUES, Candles
from candlewick.columnar import Integers

ROWS = 1_000_000
QUICK_ROWS = 20_000
MINUTES = 5
LENGTH = MINUTES * 60_000_000
POLARS = "polars group_by_dynamic"
ONE_WAY = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
SQL = f"""
SELECT time // {LENGTH} AS bucket, arg_min(open, time) AS open, max(high) AS high, min(low) AS low,
       arg_max(close, time) AS close, sum(volume) AS volume, count(*) AS n
FROM candles GROUP BY bucket ORDER BY bucket
"""


def minutes(rows: int, rounds: int) -> Contest:
    """Sessions of 390 minutes divide into whole bars, so that peers which know no sessions reach the same ones."""
    candles = minute_candles(rows)

    contenders = [
        Contender(
            "candlewick",
            rows,
            # a new view each time: nothing remembered on the candles shortens the next call
            lambda: lambda: aggregate(candles.rows(0, rows), f"{MINUTES}m"),
            lambda bars: _answers(
                {**{name: getattr(bars, name) for name in VALUES}, "n": bars.n}, bars.microseconds // LENGTH
            ),
            ours=True,
            note="one core, sessions found, n and final told",
        ),
        Contender(POLARS, rows, lambda: _by_polars(candles), _of_polars, ("polars",), note="on all cores"),
        Contender("DuckDB", rows, lambda: _by_duckdb(candles), _of_arrow, ("duckdb",), note="on all cores, in memory"),
        Contender("pandas", rows, lambda: _by_pandas(candles), _of_pandas, ("pandas",)),
    ]
    bytes_per_unit = 8.0 * 6 + (8.0 * 6 + 6) / MINUTES
    left_out = [LeftOut(name, "does not aggregate candles") for name in ("TA-Lib + numpy", "polars-talib")]
    left_out.append(LeftOut("talipp", "its sampling keeps only the last candle of five: high and low are lost"))
    return Contest(contenders, bytes_per_unit, rounds, left_out)


def _by_polars(candles: Candles) -> Callable[[], Any]:
    import polars as pl

    frame = pl.DataFrame({"time": candles.time, **{name: getattr(candles, name) for name in VALUES}})
    frame = frame.with_columns(pl.col("time").set_sorted())
    wanted = [getattr(pl.col(name), how)() for name, how in ONE_WAY.items()]
    # asked for lazily it takes less than half the time
    return lambda: frame.lazy().group_by_dynamic("time", every=f"{MINUTES}m").agg(*wanted, n=pl.len()).collect()


def _of_polars(frame: Any) -> Answers:
    return _answers(
        {name: frame[name].to_numpy() for name in (*VALUES, "n")},
        frame["time"].to_numpy().astype("datetime64[us]").astype(np.int64) // LENGTH,
    )


def _by_duckdb(candles: Candles) -> Callable[[], Any]:
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect(":memory:")
    given = pa.table({"time": candles.microseconds, **{name: getattr(candles, name) for name in VALUES}})
    connection.register("given", given)
    connection.execute("CREATE TABLE candles AS SELECT * FROM given")
    connection.unregister("given")
    return lambda: connection.sql(SQL).to_arrow_table()


def _of_arrow(table: Any) -> Answers:
    columns = {name: table.column(name).to_numpy() for name in (*VALUES, "n")}
    return _answers(columns, table.column("bucket").to_numpy())


def _by_pandas(candles: Candles) -> Callable[[], Any]:
    import pandas as pd

    frame = pd.DataFrame({name: getattr(candles, name) for name in VALUES})
    time = pd.Series(candles.microseconds)
    wanted = {name: (name, how) for name, how in ONE_WAY.items()}
    # resample is slower, and would invent the bars of nights and weekends
    return lambda: frame.groupby(time // LENGTH, sort=False).agg(**wanted, n=("close", "size"))


def _of_pandas(frame: Any) -> Answers:
    return _answers({name: frame[name].to_numpy() for name in (*VALUES, "n")}, frame.index.to_numpy())


def _answers(columns: Mapping[str, Any], bucket: Integers) -> Answers:
    return {"bucket": bucket, **{name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}}


MINUTES_TO_FIVE = Benchmark(
    name="minutes",
    title="1m to 5m, 1M candles",
    unit="row",
    target=(Faster(3, POLARS),),
    stretch=(Within(4.0),),
    full=lambda _: minutes(ROWS, ROUNDS),
    quick=lambda _: minutes(QUICK_ROWS, QUICK_ROUNDS),
)

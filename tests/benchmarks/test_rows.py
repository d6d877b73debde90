"""Each row's contest at a tiny size: everyone installed agrees with us, everyone named is accounted for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from candlewick.aggregation.batch import session_bars
from candlewick.benchmarks import ingest as ingest_row
from candlewick.benchmarks.contest import Contest, Result
from candlewick.benchmarks.delivery_cost import dispatching, routing
from candlewick.benchmarks.desk import desk
from candlewick.benchmarks.ingest import Target, from_csv, write_csv
from candlewick.benchmarks.live import HISTORY, STEP, Market, live, steps
from candlewick.benchmarks.minutes import minutes
from candlewick.benchmarks.scan import scan, stacked
from candlewick.benchmarks.wide import definitions, wide
from candlewick.engine.compute import compute
from candlewick.engine.stream_many import StreamMany
from candlewick.errors import StoreError
from candlewick.indicators import parse_indicators

Agree = Callable[[Contest], dict[str, Result]]
PEERS = {"TA-Lib + numpy", "pandas", "polars", "polars-talib", "DuckDB", "talipp"}


def named(contest: Contest) -> str:
    return " ".join([*(one.name for one in contest.contenders), *(one.name for one in contest.left_out)])


def test_desk(agree: Agree) -> None:
    contest = desk(2_000, 1_200, 1)
    assert set(agree(contest)) >= PEERS
    assert contest.bytes_per_unit == 128.0


def test_wide(agree: Agree) -> None:
    contest = wide(1_500, 1, parse_indicators("desk"))
    assert set(agree(contest)) >= PEERS
    assert contest.contenders[0].units == 1_500 * 11


def test_wide_has_sixty_definitions_and_ninety_columns() -> None:
    names = [column for one in definitions() for column in one.columns]
    assert len(definitions()) == 60
    assert len(names) == len(set(names)) == 90
    assert len({one.kind for one in definitions()}) == 12


def test_scan(agree: Agree) -> None:
    contest = scan(3, 500, 1)
    assert set(agree(contest)) >= PEERS
    assert contest.contenders[0].units == 1_500


def test_minutes(agree: Agree) -> None:
    contest = minutes(2_003, 1)
    agree(contest)
    assert all(peer.split()[0] in named(contest) for peer in PEERS)


def test_live(agree: Agree) -> None:
    contest = live(4, 2, 1)
    assert set(agree(contest)) >= PEERS
    assert contest.contenders[0].units == 4 * STEP


def test_live_answers_are_those_of_the_whole_series() -> None:
    market = Market.of(2, HISTORY + STEP)
    stream = StreamMany("desk", ["A", "B"])
    run = steps(lambda row: stream.update(market.bar(row)), len(market))
    found = run()
    for symbol in range(2):
        whole = compute(market.series(symbol), "desk")
        assert {name: values[symbol] for name, values in found.items()} == {
            name: values[-1] for name, values in whole.items()
        }


def test_steps_feed_the_history_and_then_a_few_rows_at_a_time() -> None:
    seen: list[int] = []

    def take(row: int) -> int:
        seen.append(row)
        return row

    run = steps(take, HISTORY + 2 * STEP, fed=HISTORY - 2)
    assert seen == [HISTORY - 2, HISTORY - 1]
    assert run() == HISTORY + STEP - 1
    assert run() == HISTORY + 2 * STEP - 1
    assert seen == list(range(HISTORY - 2, HISTORY + 2 * STEP))


def test_ingest(agree: Agree, tmp_path: Path) -> None:
    contest = from_csv(2, 200, 1, tmp_path)
    agree(contest)
    assert all(peer.split()[0] in named(contest) for peer in PEERS)
    assert [path.name for path in tmp_path.iterdir()] == ["candles.csv"]


def test_a_store_that_holds_less_than_it_said_is_an_error(tmp_path: Path) -> None:
    contest = from_csv(1, 50, 1, tmp_path)
    path, inserted = contest.contenders[0].prepare()()
    assert inserted == 50
    with pytest.raises(StoreError, match="51 rows were said to be inserted, 50 are stored"):
        ingest_row._of_store((path, inserted + 1))


def test_the_file_holds_what_the_universe_has(tmp_path: Path) -> None:
    write_csv(tmp_path / "candles.csv", 2, 3)
    lines = (tmp_path / "candles.csv").read_text().splitlines()
    assert lines[0] == "symbol,time,open,high,low,close,volume"
    assert [line.split(",")[:2] for line in lines[1:4]] == [
        ["SEED0000", f"2010-01-04T14:3{minute}:00Z"] for minute in range(3)
    ]
    assert len(lines) == 7


def test_every_call_gets_a_new_file_and_clearing_removes_them(tmp_path: Path) -> None:
    target = Target(tmp_path / "stores")
    first, second = target.next(), target.next()
    assert first != second
    first.touch()
    target.clear()
    target.clear()
    assert not first.parent.exists()
    assert not target.next().exists()


def test_routing(agree: Agree) -> None:
    contest = routing(2_000, 1)
    assert "OpenFeature in memory" in agree(contest)
    found = contest.contenders[0].answers(contest.contenders[0].prepare()())["optimized"]
    assert 120 < found.sum() < 280, "about a tenth"


def test_dispatching(agree: Agree) -> None:
    agree(dispatching(500, 1))
    one, other = dispatching(500, 1).contenders[0], routing(500, 1).contenders[0]
    assert (one.answers(one.prepare()())["optimized"] == other.answers(other.prepare()())["optimized"]).all()


def test_stacked() -> None:
    found = stacked([{"x": 1.0, "y": 2.0}, {"x": 3.0, "y": 4.0}])
    assert {name: values.tolist() for name, values in found.items()} == {"x": [1.0, 3.0], "y": [2.0, 4.0]}


def test_the_sessions_of_the_market_are_marked() -> None:
    market = Market.of(1, 400)
    assert np.flatnonzero(market.anchor & 1).tolist() == [0, 390]
    assert session_bars(market.series(0)).anchor.tolist() == market.anchor.tolist()

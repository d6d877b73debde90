"""The correction law: whatever is written and asked in whatever order, every answer equals a rebuild, bit for bit."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from candlewick.cache import block, checkpoints, depth, indicator_cache, kept_bars, reading, series_view
from candlewick.candles import Candles
from candlewick.engine.query import query
from candlewick.errors import CandlewickError, LimitError
from candlewick.service import optimized
from candlewick.service.answer import BAR_COLUMNS, Answer
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository
from candlewick.timeframe import MINUTE

pytestmark = pytest.mark.untraced

DAY = 1440 * MINUTE
START = 1_703_808_000_000_000
"""2023-12-29T00:00:00Z, a Friday: a week, a month and a year end in what follows."""

CALENDARS = ("24/7", "XTKS", "XNYS")
INDICATORS = (None, "sma(9)", "desk", "desk rsi(7)", "vwap(month),wma(5)")
SMALL = {
    (series_view, "FEWEST"): 1,
    (depth, "YESTERDAY"): 0,
    (checkpoints, "BASE"): 4,
    (reading, "PIECE"): 24,
    (block, "RUN"): 16,
    (kept_bars, "SPARE"): 3,
    (indicator_cache, "SHARE"): 8,
}
"""So that a short series meets every edge that a long one has."""

OPENS = (0, 10, 140, 150, 870, 880)
"""Minutes of a day near which XTKS opens and breaks, XNYS opens, and nothing happens."""

at_minute = st.one_of(
    st.integers(0, 12 * 1440),
    st.builds(
        lambda day, near, minute: day * 1440 + near + minute,
        st.sampled_from([0, 4, 5, 6, 10, 11]),
        st.sampled_from(OPENS),
        st.integers(0, 30),
    ),
)
moments = st.one_of(
    st.none(),
    at_minute.map(lambda minute: START + minute * MINUTE),
    st.sampled_from(["2024-01-04", "2024-01-05", np.datetime64("2024-01-04"), "2024-01-08"]),
)


ends = st.one_of(
    st.none(),
    st.none(),
    moments,
    st.integers(4 * 1440, 16 * 1440).map(lambda minute: START + minute * MINUTE),
    st.sampled_from(["2024-01-08", "2024-01-09"]),
)
"""Most of them behind most starts: a range that ends before it starts is an error."""


@st.composite
def rows(draw: Any, longest: int = 6) -> list[tuple[float, float, float]]:
    """(close, spread, volume) of a few candles; some are flat and untraded."""
    one = st.tuples(st.integers(1, 40).map(lambda n: n / 8), st.sampled_from([0.0, 0.25, 1.5]), st.integers(0, 3))
    return draw(st.lists(one, min_size=1, max_size=longest))


places = st.one_of(st.floats(0, 1), st.floats(0.6, 1), st.floats(0.8, 1), st.floats(0.95, 1))
"""Where in the series something happens: most often near its end."""

charts = st.fixed_dictionaries(
    {
        "timeframe": st.sampled_from(["1m", "5m", "5m", "1h", "1d", "1w", "1mo"]),
        "indicators": st.sampled_from(INDICATORS),
        "start": moments,
        "end": ends,
        "zero_volume": st.sampled_from(["keep", "keep", "drop"]),
        "final_only": st.sampled_from([False, False, True]),
        "complete_until": st.one_of(st.none(), st.none(), at_minute.map(lambda minute: START + minute * MINUTE)),
        "limit": st.sampled_from([100_000] * 9 + [7]),
        "source": st.sampled_from([None] * 8 + ["1m", "5m"]),
    }
)


class Corrections(RuleBasedStateMachine):
    """One symbol whose candles are written, put right and taken away while it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.patched = pytest.MonkeyPatch()
        for (module, name), value in SMALL.items():
            self.patched.setattr(module, name, value)
        self.folder: Path | None = None
        self.kept: list[tuple[Answer, dict[str, Any]]] = []
        self.seen: dict[str, dict[str, Any]] = {}
        self.encode = False

    @initialize(
        calendar=st.sampled_from(CALENDARS),
        kilobytes=st.sampled_from([100_000, 100_000, 100_000, 60, 1]),
        duckdb=st.sampled_from([False, False, False, True]),
        charts=st.lists(charts, min_size=2, max_size=3),
        what=rows(12),
    )
    def begin(self, calendar: str, kilobytes: int, duckdb: bool, charts: list[dict[str, Any]], what: Any) -> None:
        self.patched.setattr(optimized, "MEGABYTE", 1024)
        self.calendar, self.limit, self.charts = calendar, kilobytes * 1024, charts
        if duckdb:
            self.folder = Path(tempfile.mkdtemp(prefix="candlewick-law-"))
        self.store: CandleRepository = MemoryStore() if self.folder is None else DuckDBStore(self.folder / "law.duckdb")
        self.service = OptimizedService(self.store, max_cache_mb=kilobytes, workers=1)
        for day in (0, 3, 4, 5, 6, 10):
            for minute in (10, 135, 870):
                self.put("1m", START + day * DAY + minute * MINUTE, what)
        self.look()

    def teardown(self) -> None:
        self.patched.undo()
        if hasattr(self, "service"):
            self.service.close()
            self.store.close()
        if self.folder is not None:
            shutil.rmtree(self.folder)

    def put(self, timeframe: str, at: int, what: list[tuple[float, float, float]], step: int = 1) -> None:
        length = int(timeframe.removesuffix("m"))
        close = np.array([value for value, _, _ in what])
        spread = np.array([value for _, value, _ in what])
        self.store.upsert(
            Candles(
                symbol="S",
                timeframe=timeframe,
                calendar=self.calendar,
                time=at + np.arange(len(what)) * step * length * MINUTE,
                open=close,
                high=close + spread,
                low=close - spread / 2,
                close=close,
                volume=np.array([value for _, _, value in what], dtype=float),
            )
        )

    def times(self, timeframe: str = "1m") -> list[int]:
        stored = [one for one in self.store.series_of("S") if str(one.timeframe) == timeframe]
        return self.store.read("S", timeframe).microseconds.tolist() if stored else []

    def look(self) -> None:
        for chart in self.charts:
            self.check(chart)

    @rule(what=rows(), gap=st.integers(1, 3), step=st.sampled_from([1, 1, 1, 7, 100]))
    def append(self, what: Any, gap: int, step: int) -> None:
        times = self.times() or [START]
        self.put("1m", times[-1] + gap * MINUTE, what, step)
        self.look()

    @rule(what=rows(30), day=st.integers(1, 3), minute=st.sampled_from(OPENS))
    def next_days(self, what: Any, day: int, minute: int) -> None:
        newest = (self.times() or [START])[-1]
        self.put("1m", (newest // DAY + day) * DAY + minute * MINUTE, what)
        self.look()

    @rule(what=rows(1))
    def form(self, what: Any) -> None:
        """The newest candle as it is a little later."""
        times = self.times()
        if times:
            self.put("1m", times[-1], what)
            self.look()

    @rule(what=rows(2), place=places)
    def correct(self, what: Any, place: float) -> None:
        times = self.times()
        if times:
            self.put("1m", times[int(place * (len(times) - 1))], what)
            self.look()

    @rule(what=rows(20), at=at_minute, step=st.sampled_from([1, 1, 3]))
    def insert(self, what: Any, at: int, step: int) -> None:
        self.put("1m", START + at * MINUTE, what, step)
        self.look()

    @rule(first=places, count=st.integers(1, 30))
    def delete(self, first: float, count: int) -> None:
        times = self.times()
        if times:
            row = int(first * (len(times) - 1))
            self.store.delete("S", "1m", times[row], times[min(row + count, len(times)) - 1] + 1)
            self.look()

    @rule(place=st.floats(0, 0.5))
    def delete_older(self, place: float) -> None:
        times = self.times()
        if times:
            self.store.delete_older_than(times[int(place * (len(times) - 1))])
            self.look()

    @rule(calendar=st.sampled_from(CALENDARS), what=rows(30))
    def come_back(self, calendar: str, what: Any) -> None:
        """Gone, then there again with other candles and perhaps another calendar."""
        if self.store.series_of("S"):
            self.store.delete("S")
        self.look()
        self.calendar = calendar
        self.put("1m", START + 3 * DAY + 10 * MINUTE, what)
        self.look()

    @rule(what=rows(), at=at_minute)
    def own_5m(self, what: Any, at: int) -> None:
        """A stored 5m series serves 5m itself, for as long as it is there."""
        if self.times("5m"):
            self.store.delete("S", "5m")
        else:
            self.put("5m", START + at // 5 * 5 * MINUTE, what)
        self.look()

    @rule()
    def switch(self) -> None:
        """Without the cache, and with an empty one."""
        for enabled in (False, True):
            self.service.reconfigure(cache_enabled=enabled, concurrency_enabled=enabled)
            self.look()

    @rule(chart=charts, place=st.integers(0, 2))
    def ask_something_else(self, chart: dict[str, Any], place: int) -> None:
        self.charts[place % len(self.charts)] = chart
        self.check(chart)

    @rule(indicators=st.sampled_from(INDICATORS), place=st.integers(0, 2))
    def ask_for_other_indicators(self, indicators: str | None, place: int) -> None:
        self.check(self.charts[place % len(self.charts)] | {"indicators": indicators})

    @rule(start=moments, end=ends, place=st.integers(0, 2))
    def ask_for_another_range(self, start: Any, end: Any, place: int) -> None:
        self.check(self.charts[place % len(self.charts)] | {"start": start, "end": end})

    @rule(encode=st.booleans())
    def again(self, encode: bool) -> None:
        self.encode = encode
        self.look()

    def check(self, asked: dict[str, Any]) -> None:
        request = Request.of("S", **asked)
        expected = rebuilt(self.store, asked)
        at_once = self.service.cached(request)
        for got in ([] if at_once is None else [at_once]) + [outcome(self.service, request)]:
            if not isinstance(got, Answer) or not isinstance(expected, dict):
                assert (type(got), str(got)) == (type(expected), str(expected))
                continue
            columns = got.columns
            assert_same(columns, expected)
            assert_same(self.seen.setdefault(got.fingerprint, columns), columns)
            self.kept = [*self.kept[-20:], (got, {name: values.copy() for name, values in columns.items()})]
            if self.encode:
                assert got.json().startswith(b'{"symbol":"S"')

    @invariant()
    def what_was_handed_out_is_as_it_was(self) -> None:
        for answer, copy in self.kept:
            assert_same(answer.columns, copy)

    @invariant()
    def bytes_are_exact_and_bounded(self) -> None:
        if hasattr(self, "service"):
            held = self.service.cache.stats().bytes
            assert held == self.service.cache.recounted()
            assert held <= self.limit


def outcome(service: OptimizedService, request: Request) -> Any:
    try:
        return service.candles(request)
    except CandlewickError as error:
        return error


def rebuilt(store: CandleRepository, asked: dict[str, Any]) -> Any:
    """The columns that a computation from the first candle gives, or its error."""
    given = {name: value for name, value in asked.items() if name not in ("timeframe", "indicators", "limit")}
    try:
        answer = query(store, "S", asked["timeframe"], asked["indicators"], **given)
    except CandlewickError as error:
        return error
    if len(answer.bars) > asked["limit"]:
        return LimitError(asked["limit"], len(answer.bars))
    columns = {name: getattr(answer.bars, name) for name in BAR_COLUMNS}
    return columns | {name: answer.indicators[name] for name in answer.indicators or ()}


def assert_same(mine: Any, theirs: Any) -> None:
    assert list(mine) == list(theirs)
    for name, values in mine.items():
        assert values.dtype == theirs[name].dtype
        assert np.array_equal(values, theirs[name], equal_nan=values.dtype.kind == "f"), name


TestCorrections = Corrections.TestCase
TestCorrections.settings = settings(max_examples=8, stateful_step_count=30, deadline=None)


@pytest.mark.slow
@pytest.mark.timeout(3600)
class TestManyCorrections(Corrections.TestCase):  # type: ignore[name-defined, misc]
    settings = settings(max_examples=250, stateful_step_count=40, deadline=None)

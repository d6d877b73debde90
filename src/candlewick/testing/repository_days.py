"""What every store knows of the days that writes touched, as a pytest base class; part of the repository contract."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from candlewick.candles import VALUES, Candles
from candlewick.errors import InputError, UnknownSeriesError
from candlewick.store.history import DAY
from candlewick.store.repository import CandleRepository
from candlewick.testing.stored_candles import FIRST_DAY, START, some
from candlewick.timeframe import MINUTE


class TouchedDaysContract:
    """`revision_before` and `first_changed`."""

    @pytest.fixture
    def store(self) -> Any:
        raise NotImplementedError("give a fixture `store`")

    def test_which_days_the_writes_touched(self, store: CandleRepository) -> None:
        def stairs(*days: int) -> list[int]:
            """For each day, the last revision that touched it or one before."""
            return [store.revision_before("SPY", "1m", (FIRST_DAY + day) * DAY + 1) for day in days]

        def on(*days: int, price: float = 100) -> Candles:
            return some(minutes=[day * 1440 for day in days], price=price)

        store.upsert(on(0, 1, 2))
        assert stairs(-1, 0, 1, 2, 3) == [0, 1, 1, 1, 1]
        store.upsert(on(3))
        assert stairs(-1, 0, 1, 2, 3) == [0, 1, 1, 1, 2]
        store.upsert(on(2, 3, 4))
        assert stairs(0, 1, 2, 3, 4) == [1, 1, 1, 2, 3], "equal candles are not touched"
        store.upsert(on(1, 5, price=90))
        assert stairs(-1, 0, 1, 2, 5) == [0, 1, 4, 4, 4], "a replaced candle is"
        store.upsert(on(6))
        assert store.delete("SPY", "1m", START + 3 * 1440 * MINUTE, START + 5 * 1440 * MINUTE) == 2
        assert stairs(0, 1, 2, 3, 6) == [1, 4, 4, 6, 6], "and a deleted one"
        assert store.delete("SPY", "1m", START + 3 * 1440 * MINUTE, START + 5 * 1440 * MINUTE) == 0
        store.upsert(on(-2))
        assert stairs(-3, -2, 0, 6) == [0, 7, 7, 7], "so is one before all others"
        store.upsert(on(-2))
        assert store.revision_before("SPY", "1m") == store.find("SPY", "1m").revision == 7

    def test_what_changed_since_a_revision(self, store: CandleRepository) -> None:
        def since() -> list[int | None]:
            found = [store.first_changed("SPY", "1m", k) for k in range(store.find("SPY", "1m").revision + 2)]
            assert found[-2:] == [None, None]
            return [None if at is None else at // DAY - FIRST_DAY for at in found[:-2]]

        store.upsert(some(minutes=[0, 1440, 2880]))
        assert since() == [0]
        store.upsert(some(minutes=[3 * 1440]))
        store.upsert(some(minutes=[3 * 1440 + 1]))
        assert since() == [0, 3, 3]
        store.upsert(some(minutes=[1440], price=7))
        assert since() == [0, 1, 1, 1]
        store.upsert(some(minutes=[4 * 1440]))
        assert since() == [0, 1, 1, 1, 4]
        assert store.first_changed("SPY", "1m", 4) == (FIRST_DAY + 4) * DAY

    def test_the_days_are_those_of_utc(self, store: CandleRepository) -> None:
        midnight = (FIRST_DAY + 1) * DAY
        before = (midnight - START) // MINUTE
        store.upsert(some(minutes=[before - 1]))
        store.upsert(some(minutes=[before]))
        ends = [midnight - DAY, midnight - DAY + 1, midnight, midnight + 1]
        assert [store.revision_before("SPY", "1m", end) for end in ends] == [0, 1, 1, 2]
        assert [store.first_changed("SPY", "1m", k) for k in (0, 1)] == [midnight - DAY, midnight]

    def test_days_before_1970(self, store: CandleRepository) -> None:
        def at(time: int) -> Candles:
            one = some("old", [0], calendar="24/7")
            values = dict.fromkeys(VALUES, one.close)
            return Candles.trusted("old", one.timeframe, one.calendar, np.array([time]), values)

        store.upsert(at(-DAY - 1))
        store.upsert(at(-1))
        store.upsert(at(0))
        ends = [-2 * DAY, -2 * DAY + 1, -DAY, -DAY + 1, 0, 1]
        assert [store.revision_before("old", "1m", end) for end in ends] == [0, 1, 1, 2, 2, 3]
        assert [store.first_changed("old", "1m", k) for k in range(4)] == [-2 * DAY, -DAY, 0, None]

    def test_touched_days_go_on_after_everything_was_deleted(self, store: CandleRepository) -> None:
        store.upsert_many([some(minutes=[0, 1440]), some(timeframe="5m")])
        store.delete("SPY")
        for call in (store.revision_before, lambda symbol, timeframe: store.first_changed(symbol, timeframe, 0)):
            with pytest.raises(UnknownSeriesError):
                call("SPY", "1m")
        store.upsert(some(minutes=[1440], calendar="24/7"))
        assert store.snapshot("SPY", "1m").series.revision == 3
        ends = [FIRST_DAY * DAY, FIRST_DAY * DAY + 1, (FIRST_DAY + 1) * DAY + 1]
        assert [store.revision_before("SPY", "1m", end) for end in ends] == [0, 2, 3]
        assert [store.first_changed("SPY", "1m", k) for k in (1, 2, 3)] == [
            FIRST_DAY * DAY,
            (FIRST_DAY + 1) * DAY,
            None,
        ]

    def test_a_refused_batch_touches_nothing(self, store: CandleRepository) -> None:
        store.upsert(some())
        with pytest.raises(InputError):
            store.upsert_many([some("B"), some(minutes=[-1440], calendar="24/7")])
        assert store.revision_before("SPY", "1m", START - DAY + 1) == 0
        assert store.first_changed("SPY", "1m", 1) is None
        assert store.series_of("B") == []

"""Forming bars: what is refused, and the state as bytes. The split law is in tests/laws."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from candlewick.aggregation import Forming, aggregate
from candlewick.aggregation.live import MAGIC
from candlewick.candles import Candles
from candlewick.errors import InputError, StateError
from candlewick.sessions import find_calendar
from candlewick.testing.session_law import same_bars, trial_candles

pytestmark = pytest.mark.kernel

WHOLE = trial_candles("XNYS", 19_860, 5)


def forming() -> Forming:
    return Forming("1m", "5m", "XNYS", "TRIAL")


def minute(*times: str, symbol: str = "TRIAL", timeframe: str = "1m", calendar: str = "XNYS") -> Candles:
    ones = np.ones(len(times))
    stamps = np.array(times, dtype="datetime64[us]")
    values = dict.fromkeys(("open", "high", "low", "close", "volume"), ones)
    return Candles(symbol=symbol, timeframe=timeframe, calendar=calendar, time=stamps, **values)  # type: ignore[arg-type]


def test_one_candle_at_a_time() -> None:
    live, whole = forming(), aggregate(WHOLE, "5m").only_final()
    given_out = [live.update(WHOLE.rows(row, row + 1)) for row in range(len(WHOLE))]
    assert max(map(len, given_out)) <= 2
    for name in ("time", "open", "high", "low", "close", "volume", "n", "final", "anchor"):
        assert np.array_equal(np.concatenate([getattr(bars, name) for bars in given_out]), getattr(whole, name))


def test_a_bar_is_given_out_by_the_candle_that_completes_it() -> None:
    live = forming()
    assert len(live.peek()) == 0
    assert len(live.update(minute("2024-05-17T13:30", "2024-05-17T13:33"))) == 0
    assert live.peek().n.tolist() == [2]
    assert live.peek().final.tolist() == [False]
    assert live.update(minute("2024-05-17T13:34")).n.tolist() == [3]
    assert len(live.peek()) == 0
    assert len(live.update(minute("2024-05-17T13:36"))) == 0
    assert live.update(minute("2024-05-17T20:05")).n.tolist() == [1]  # after-market: the session is over


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (minute("2024-05-17T13:36"), "was given before"),
        (minute("2024-05-17T13:35"), "comes late"),
        (minute("2024-05-17T13:37", symbol="OTHER"), r"symbol.*another series"),
        (minute("2024-05-17T13:40", timeframe="5m"), r"timeframe.*another series"),
        (minute("2024-05-17T13:37", calendar="XTKS"), r"calendar.*another series"),
        (aggregate(minute("2024-05-17T13:37"), "1m"), "can still change"),
        (minute("2024-05-17T13:37", "2090-01-02T15:00"), "beyond the sessions"),
    ],
)
def test_what_does_not_follow_is_refused_and_changes_nothing(rows: Candles, says: str) -> None:
    live = forming()
    live.update(minute("2024-05-17T13:30", "2024-05-17T13:36"))
    before = live.save()
    with pytest.raises(InputError, match=says):
        live.update(rows)
    assert live.save() == before


def test_a_second_candle_in_the_last_minute_of_a_final_bar_is_refused() -> None:
    live = forming()
    assert len(live.update(minute("2024-05-17T13:34:10"))) == 1
    with pytest.raises(InputError, match="already given out"):
        live.update(minute("2024-05-17T13:34:50"))
    assert len(live.update(minute("2024-05-17T13:35:00"))) == 0


def test_nothing_new_gives_nothing() -> None:
    assert len(forming().update(WHOLE.rows(0, 0))) == 0


@pytest.mark.parametrize(
    ("source", "timeframe", "zero_volume"), [("5m", "7m", "keep"), ("1m", "5m", "dorp"), ("1x", "5m", "keep")]
)
def test_a_definition_that_makes_no_bars_is_refused(source: str, timeframe: str, zero_volume: str) -> None:
    with pytest.raises(InputError):
        Forming(source, timeframe, "XNYS", "TRIAL", zero_volume)


def saved() -> bytes:
    live = forming()
    live.update(WHOLE.rows(0, len(WHOLE) // 2))
    return live.save()


def test_state_goes_on_where_it_was() -> None:
    again = Forming.load(saved(), symbol="TRIAL", timeframe="5m", calendar="XNYS")
    assert again.save() == saved()
    live, half = forming(), len(WHOLE) // 2
    live.update(WHOLE.rows(0, half))
    assert same_bars(again.peek(), live.peek())
    assert same_bars(again.update(WHOLE.rows(half, len(WHOLE))), live.update(WHOLE.rows(half, len(WHOLE))))


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"symbol": "OTHER"}, "another symbol"),
        ({"timeframe": "15m"}, "another timeframe"),
        ({"calendar": "XTKS"}, "another calendar"),
    ],
)
def test_state_of_something_else_is_refused(about: dict[str, str], says: str) -> None:
    with pytest.raises(StateError, match=says):
        Forming.load(saved(), **about)  # type: ignore[arg-type]


def test_every_cut_and_every_changed_byte_is_refused() -> None:
    data = saved()
    for cut in range(len(data)):
        with pytest.raises(StateError):
            Forming.load(data[:cut])
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1
        with pytest.raises(StateError):
            Forming.load(bytes(damaged))


def test_another_version_is_refused() -> None:
    body = bytearray(saved()[:-8])
    body[len(MAGIC)] += 1
    data = bytes(body) + hashlib.blake2b(bytes(body), digest_size=8).digest()
    with pytest.raises(StateError, match="another version"):
        Forming.load(data)


def test_other_sessions_than_the_state_knew_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved()
    monkeypatch.setitem(find_calendar("XNYS").__dict__, "version", "0" * 16)
    with pytest.raises(StateError, match="other sessions"):
        Forming.load(data)

"""as_of over HTTP: what was known at a moment, and what is wrong with one."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from candlewick.candles import VALUES, Candles
from candlewick.store.repository import iso

PATH = "/v1/candles/AAPL?timeframe=5m&indicators=sma(3),vwap"
EXPLAIN = "/v1/explain?symbol=AAPL&timeframe=5m&at=2024-01-02T15:30:00Z&column=sma_3"


def correct(store: Any) -> tuple[str, str]:
    """Raise a candle; the moments of the write before and of this one."""
    one = store.read("AAPL", "1m").rows(40, 41)
    values = {name: getattr(one, name) + 1 for name in VALUES}
    store.upsert(Candles.trusted(one.symbol, one.timeframe, one.calendar, one.microseconds, values))
    before, after = (iso(write.written_at) for write in store.writes("AAPL", "1m")[-2:])
    return before, after


def test_what_was_answered_is_answered_again(ask: Any, application: Any) -> None:
    before = ask("GET", PATH).json()
    first, _ = correct(application.store)
    now, again = ask("GET", PATH).json(), ask("GET", f"{PATH}&as_of={first}").json()
    assert again["columns"] == before["columns"] != now["columns"]
    assert again["revision"] == before["revision"] < now["revision"]
    shifted = quote(first.replace("Z", "+00:00"))
    assert ask("GET", f"{PATH}&as_of={shifted}").json()["columns"] == before["columns"]
    told = ask("GET", f"/v1/candles?symbols=AAPL&timeframe=5m&as_of={first}")
    assert told.status_code == 200
    assert told.json()["AAPL"]["columns"]["close"] == before["columns"]["close"]


@pytest.mark.parametrize("path", [PATH, EXPLAIN])
def test_a_moment_of_no_use_is_named(ask: Any, application: Any, path: str) -> None:
    def problem(text: str, status: int) -> dict[str, Any]:
        response = ask("GET", f"{path}&as_of={text}")
        assert response.status_code == status, response.text
        found: dict[str, Any] = response.json()
        return found

    assert "they came at" in problem("2001-01-01T00:00:00Z", 404)["detail"]
    for text, hint in (
        ("2024-01-02", "has no timezone"),
        ("2024-01-02T10:00:00", "has no timezone"),
        ("then", "is not"),
        ("2024-01-02T10:00:00+05:30", "%2B"),
    ):
        told = problem(text, 400)
        assert told["parameter"] == "as_of"
        assert hint in told["detail"]
    first, second = correct(application.store)
    application.store.purge(second)
    told = problem(first, 410)
    assert (told["type"], told["parameter"]) == ("urn:candlewick:problem:history", "as_of")
    assert told["kept_from"] == second

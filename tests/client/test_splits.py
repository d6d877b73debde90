"""Split factors through a client, over both engines: what is remembered is never that of another factor."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.client.conftest import Serving

from candlewick.engine.query import query
from candlewick.errors import InputError
from candlewick.moments import moment
from candlewick.store.splits import Split

AT = moment("2024-01-02T16:00:00Z", "at")


def test_a_factor_set_through_a_client_holds_for_the_next_answer(serving: Serving) -> None:
    client = serving.client
    plain = client.candles("SPY", "5m", "desk")
    assert client.splits() == {}
    for engine in ("classic", "optimized"):
        for factor in (2, "3:2"):
            kept = client.set_split("SPY", AT, factor)
            assert client.splits() == {"SPY": (kept,)}
            for _ in range(2):
                found = client.candles("SPY", "5m", "desk", engine=engine, adjusted=True)
                direct = query(serving.store, "SPY", "5m", "desk", adjusted=True)
                assert found.columns["close"].tobytes() == direct.bars.close.tobytes()
                assert found.fingerprint != plain.fingerprint
        told = client.explain("SPY", "5m", "2024-01-02T15:30:00Z", "close", engine=engine, adjusted=True)
        assert [one["ratio"] for one in told["series"]["splits"]] == ["3:2"]
        assert client.remove_split("SPY", AT) == Split(AT, 1.5)
        again = client.candles("SPY", "5m", "desk", engine=engine, adjusted=True)
        assert again.columns["close"].tobytes() == plain.columns["close"].tobytes()
    with pytest.raises(InputError, match="not the time of a factor"):
        client.remove_split("SPY", AT)


def test_a_date_is_a_session_and_a_bad_factor_is_told(serving: Serving) -> None:
    found = serving.client.set_split("NEW", dt.date(2024, 1, 2), "1:10", calendar="XNYS")
    assert found == Split(moment("2024-01-02T00:00:00-05:00", "at"), 0.1)
    serving.client.remove_split("NEW", "2024-01-02", calendar="XNYS")
    with pytest.raises(InputError, match="factor"):
        serving.client.set_split("SPY", AT, "seven")

"""--as-of: what was known at a moment, in every command that reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from candlewick.candles import VALUES, Candles
from candlewick.store.open import open_store
from candlewick.store.repository import iso

CANDLES = ("candles", "AAPL", "--timeframe", "5m", "--indicators", "sma(9),vwap", "--format", "csv")
EXPORT = ("export", "AAPL")
EXPLAIN = ("explain", "AAPL", "--timeframe", "5m", "--at", "2024-01-02T15:30:00Z", "--column", "sma_9", "--json")
OUTSIDE = ("candles", "AAPL", "--timeframe", "1m", "--hours", "extended", "--format", "csv")
CLASSIC = (*CANDLES, "--engine", "classic")


def correct(store: Path) -> str:
    """Raise one candle inside the session and one before it; the moment at which they were as before."""
    with open_store(store) as repository:
        first = repository.writes("AAPL", "1m")[-1].written_at
        for row in (2, 49):
            one = repository.read("AAPL", "1m").rows(row, row + 1)
            values = {name: getattr(one, name) + 1 for name in VALUES}
            repository.upsert(Candles.trusted(one.symbol, one.timeframe, one.calendar, one.microseconds, values))
    return iso(first)


def test_what_was_shown_is_shown_again(run: Any, store: Path) -> None:
    before = {command: run(*command) for command in (CANDLES, EXPORT, EXPLAIN, OUTSIDE, CLASSIC)}
    moment = correct(store)
    for command, ran in before.items():
        assert ran.code == 0
        again, now = run(*command, "--as-of", moment), run(*command)
        if command is EXPLAIN:
            assert again.json["value"] == ran.json["value"] != now.json["value"]
            assert again.json["series"]["revision"] == ran.json["series"]["revision"] == 1
        else:
            assert (again.code, again.out) == (0, ran.out)
            assert now.out != ran.out
    far = run(*CANDLES, "--as-of", "2999-01-01T00:00:00+05:30")
    assert far.out == run(*CANDLES).out
    local = moment.removesuffix("Z")
    assert run(*CANDLES, "--as-of", local, "--timezone", "UTC").out == before[CANDLES].out


@pytest.mark.parametrize("command", [CANDLES, EXPORT, EXPLAIN])
def test_a_moment_of_no_use_is_named(run: Any, store: Path, command: tuple[str, ...]) -> None:
    ran = run(*command, "--as-of", "2001-01-01T00:00:00Z")
    assert ran.code == 2
    assert "'AAPL' had no 1m candles as of 2001-01-01T00:00:00Z: they came at 20" in ran.err
    for wrong in ("2024-01-02", "2024-01-02T10:00:00"):
        ran = run(*command, "--as-of", wrong)
        assert ran.code == 2
        assert f"as_of: '{wrong}' has no timezone; give an offset" in ran.err
    assert "as_of: 'then' is not" in run(*command, "--as-of", "then").err
    moment = correct(store)
    with open_store(store) as repository:
        last = repository.writes("AAPL", "1m")[-1].written_at
        assert repository.purge(last) == 2
    ran = run(*command, "--as-of", moment)
    assert ran.code == 2
    assert (
        f"as_of: '{moment}' is before what is kept; what was stored of AAPL 1m is known from {iso(last)} on" in ran.err
    )

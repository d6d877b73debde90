"""Series to compare with, and what a comparison of them says."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from tests.compare.exports import Export, at_timeframe

import candlewick as cw
from candlewick.candles import Candles
from candlewick.compare import compare
from candlewick.compare.comparison import Comparison
from candlewick.sources.simulated import simulate

Compared = Callable[..., Comparison]


@pytest.fixture(scope="session")
def minutes() -> Candles:
    """Simulated minute candles of three sessions."""
    (candles,) = simulate(["SIM"], "XNYS", 3, 20240102)
    return candles


@pytest.fixture(scope="session")
def candles(minutes: Candles) -> Candles:
    """The same at five minutes: 234 candles."""
    return at_timeframe(minutes, "5m")


@pytest.fixture(scope="session")
def real(shared_data: Path) -> Callable[[str, str, str], Candles]:
    """Real candles of a symbol, at a timeframe that leaves some hundreds of them."""

    @cache
    def made(symbol: str, calendar: str, timeframe: str) -> Candles:
        minutes = cw.read_csv(shared_data / "minute" / f"{symbol}.csv", timeframe="1m", calendar=calendar)
        return at_timeframe(minutes, timeframe)

    return made


@pytest.fixture
def compared(tmp_path: Path) -> Compared:
    """Write an export to a file and compare it, as a user would."""

    def made(candles: Candles, export: Export, timeframe: str | None = None, **asked: object) -> Comparison:
        return compare(candles, export.write(tmp_path / "export.csv"), timeframe=timeframe, **asked)  # type: ignore[arg-type]

    return made

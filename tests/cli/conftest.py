"""The command line as a caller meets it, and a small store to ask."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.command_line import invoke

from candlewick.candles import Candles
from candlewick.store.open import open_store

OPEN = np.datetime64("2024-01-02T14:30", "us")
"""The open of the first session in the store, XNYS."""


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON value that it must be; NaN is none."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of this machine, and a working folder of our own. The kernel cache stays: it only saves time."""
    for variable in list(os.environ):
        if variable.startswith("CANDLEWICK_") and variable != "CANDLEWICK_CACHE":
            monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run() -> Run:
    """Run a command in this process; anything but an exit is the test's to see."""

    def command(*arguments: object, answer: str | None = None) -> Ran:
        result = invoke(*map(str, arguments), answer=answer)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return command


def series(symbol: str, opened: np.datetime64, rows: int, **about: Any) -> Candles:
    """Minute candles that wander, from ``opened`` on."""
    chance = np.random.default_rng(7)
    close = np.round(100 + np.cumsum(chance.normal(0, 0.05, rows)), 2)
    start = np.concatenate([[100.0], close[:-1]])
    return Candles(
        symbol=symbol,
        time=opened + np.arange(rows) * np.timedelta64(60, "s"),
        open=start,
        high=np.maximum(start, close) + 0.01,
        low=np.minimum(start, close) - 0.01,
        close=close,
        volume=chance.integers(1, 1000, rows).astype(float),
        **({"timeframe": "1m", "calendar": "XNYS"} | about),
    )


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """AAPL: one session of minutes with five before and five after it. BTC/USD: 100 minutes, 24/7, and two days."""
    path = tmp_path / "candles.duckdb"
    early = OPEN - np.timedelta64(300, "s")
    with open_store(path) as repository:
        repository.upsert(series("AAPL", early, 400))
        repository.upsert(series("BTC/USD", OPEN, 100, calendar="24/7"))
        days = Candles(
            symbol="BTC/USD",
            timeframe="1d",
            calendar="24/7",
            time=["2024-01-01", "2024-01-02"],
            open=[1.0, 2.0],
            high=[3.0, 4.0],
            low=[0.5, 1.5],
            close=[2.0, 3.0],
            volume=[10.0, 20.0],
        )
        repository.upsert(days)
    monkeypatch.setenv("CANDLEWICK_STORE", str(path))
    return path

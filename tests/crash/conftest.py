from __future__ import annotations

from pathlib import Path

import pytest

from candlewick.sources.simulated import simulate

SYMBOLS = [f"S{k:03d}" for k in range(60)]


@pytest.fixture(scope="session")
def many_series(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A CSV of simulated minutes of many symbols, in order of time, and how many rows each has."""
    path = tmp_path_factory.mktemp("crash") / "many.csv"
    rows: dict[str, int] = {}
    lines: list[tuple[int, str]] = []
    for candles in simulate(SYMBOLS, "XNYS", 5, 1):
        rows[candles.symbol] = len(candles)
        columns = (candles.microseconds, candles.open, candles.high, candles.low, candles.close, candles.volume)
        for at, *values in zip(*(column.tolist() for column in columns), strict=True):
            lines.append((at, f"{candles.symbol},{at},{','.join(map(repr, values))}\n"))
    lines.sort(key=lambda line: line[0])
    path.write_text("symbol,time,open,high,low,close,volume\n" + "".join(text for _, text in lines))
    return path, rows

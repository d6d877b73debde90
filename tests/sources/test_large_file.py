"""Five million rows of 500 symbols: right counts, in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from candlewick.sources.simulated import simulate

ROWS, SYMBOLS = 5_000_000, 500
RUN = """
import json, resource, sys
from candlewick.sources.ingest import ingest
from candlewick.store.duckdb import DuckDBStore

with DuckDBStore(sys.argv[1]) as store:
    runs = [ingest(store, sys.argv[2], calendar="24/7").as_dict() for _ in range(2)]
    rows = [one.rows for one in store.series()]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([runs, rows, peak * (1 if sys.platform == "darwin" else 1024)]))
"""


def write(path: Path, order: str) -> None:
    """The candles of one symbol for everyone, each with a price of its own, by minute or by symbol."""
    candles = next(simulate(["X"], "24/7", 8, 1))[0 : ROWS // SYMBOLS]
    assert len(candles) == ROWS // SYMBOLS
    columns = (candles.time.astype("datetime64[s]").astype(str), candles.open, candles.high, candles.low, candles.close)
    minutes = list(zip(*(column.tolist() for column in columns), strict=True))
    with path.open("w") as file:
        file.write("symbol,timestamp,open,high,low,close,volume\n")
        if order == "minute":
            for at, *prices in minutes:
                cells = ",".join(f"{price:.2f}" for price in prices)
                file.write("".join(f"S{k:03d},{at}Z,{cells},{k}\n" for k in range(SYMBOLS)))
        else:
            tails = [f"{at}Z,{','.join(f'{price:.2f}' for price in prices)}" for at, *prices in minutes]
            for k in range(SYMBOLS):
                file.write("".join(f"S{k:03d},{tail},{k}\n" for tail in tails))


@pytest.mark.slow
@pytest.mark.parametrize("order", ["minute", "symbol"])
def test_peak_memory_stays_under_a_gigabyte(tmp_path: Path, order: str) -> None:
    pytest.importorskip("resource")
    write(tmp_path / "large.csv", order)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path / "s.duckdb"), str(tmp_path / "large.csv")],
        capture_output=True,
        text=True,
        check=True,
    )
    (first, second), rows, peak = json.loads(done.stdout)
    assert (first["rows"], first["inserted"], first["quarantined"]) == (ROWS, ROWS, 0)
    assert (second["rows"], second["unchanged"]) == (ROWS, ROWS)
    assert rows == [ROWS // SYMBOLS] * SYMBOLS
    assert peak < 1_000_000_000

"""The bench of a large store runs whole on both stores, in small, and leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*given: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "bench" / "scale.py"), *map(str, given)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("store", ["duckdb", "postgres"])
def test_every_phase_gives_its_figures(store: str, tmp_path: Path) -> None:
    record = tmp_path / "scale.json"
    record.write_text('{"other": {"rows": 1}}', encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="candlewick-") as folder:  # a short path, for the server's socket
        done = run(store, "--rows", 2000, "--symbols", 20, "--folder", folder, "--json", record)
        left = list(Path(folder).iterdir())
    assert done.returncode == 0, done.stderr
    assert left == []
    told = json.loads(done.stdout)
    assert json.loads(record.read_text("utf-8")) == {"other": {"rows": 1}, store: told}
    assert told["rows"] == told["after"]["size"]["rows"] == 2400
    assert told["before"]["whole_first"]["rows"] == told["after"]["whole_first"]["rows"] == 120
    assert told["after"]["session_again"]["rows"] == 120
    assert told["before"]["size"]["out_of_order"] == (380 if store == "duckdb" else None)
    assert told["after"]["size"]["out_of_order"] == (0 if store == "duckdb" else None)
    assert sorted(told["after"]["size"]["bytes_a_row_of"]) == ([] if store == "duckdb" else ["candles", "writes"])
    assert told["compact_disk_bytes_a_row"] > 0
    assert min(told["ingest"]["rows_per_s"], told["append"]["worst_s"], told["scan"]["candles_per_s"]) > 0
    assert "2,000 of 2,000 rows" in done.stderr


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    done = run("duckdb", "--rows", 10**15, "--folder", tmp_path)
    assert done.returncode == 2
    assert "1,000,000,000,000,000 rows on duckdb need" in done.stderr
    assert "give another --folder, or fewer --rows" in done.stderr
    assert list(tmp_path.iterdir()) == []

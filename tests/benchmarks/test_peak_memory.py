"""Peaks of memory: known amounts are seen, engines are measured in processes of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from candlewick.benchmarks import peak_memory, resident
from candlewick.benchmarks.peak_memory import Peaks, measure, peaks_of, requests_of, smallest, write_history
from candlewick.benchmarks.resident import c_function, settle, watched_peak
from candlewick.errors import EngineError
from candlewick.store.open import open_store

FACTORY = "candlewick.benchmarks.service:engines"
SIZE = 64_000_000


def silent(_: str, __: object = None) -> None:
    raise RuntimeError("nothing can be built")


@pytest.mark.parametrize("kernel", [True, False])
def test_what_was_there_for_a_moment_is_seen(kernel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not kernel:
        monkeypatch.setattr(resident, "_reset", lambda: False)
    settle()
    before = resident.resident()
    with watched_peak() as peak:
        for _ in range(20):
            column = np.ones(SIZE // 8)
        del column
    assert peak.bytes - before > 0.8 * SIZE
    assert peak.bytes - before < 4 * SIZE
    assert ("VmHWM" in peak.method) or not kernel or not Path("/proc/self/clear_refs").exists()


def test_a_kernel_that_keeps_no_peak_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(resident, "_CLEAR", tmp_path / "no" / "clear_refs")
    assert resident._reset() is False
    monkeypatch.setattr(resident, "_STATUS", tmp_path / "status")
    (tmp_path / "status").write_text("VmRSS: 12 kB\n")
    assert resident._high_water() == 0


def test_functions_of_the_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    assert c_function("no_such_function_of_c") is None
    assert c_function("abs") is not None
    monkeypatch.setattr(resident.sys, "platform", "win32")
    assert c_function("abs") is None
    settle()


@pytest.mark.parametrize("engine", ["classic", "optimized"])
def test_an_engine_is_measured_where_it_is_built(engine: str, tmp_path: Path) -> None:
    path = tmp_path / "history.duckdb"
    names = write_history(path, 2, 3)
    assert names == ["LONG0", "LONG1"]
    (peaks,) = peaks_of(FACTORY, engine, str(path), 1, names)
    assert peaks.engine == engine
    assert peaks.requests == len(requests_of(names)) == 4
    assert peaks.process >= peaks.growth >= 0
    assert peaks.idle > 1_000_000
    if engine == "classic":
        assert peaks.growth == peaks.full == peaks.off


@pytest.mark.slow
def test_both_engines_in_processes_of_their_own(tmp_path: Path) -> None:
    said: list[str] = []
    found = measure(FACTORY, tmp_path, symbols=1, sessions=2, repeats=2, progress=said.append)
    assert {name: len(peaks) for name, peaks in found.items()} == {"classic": 2, "optimized": 2}
    assert all(one.engine == name for name, peaks in found.items() for one in peaks)
    assert said == ["memory: history", "memory: 2 measurements"]
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".duckdb"] == ["history.duckdb"]


def test_a_process_that_fails_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"exit code 1: .*no_such"):
        measure("candlewick.benchmarks.service:no_such", tmp_path, symbols=1, sessions=1, repeats=1)


def test_an_answer_without_a_bar_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.duckdb"
    write_history(path, 1, 1)
    late = requests_of(["LONG0"])
    with open_store(path) as store:
        last = store.find("LONG0", "1m").last
    from dataclasses import replace

    monkeypatch.setattr(peak_memory, "requests_of", lambda _: [replace(one, start=last + 10**9) for one in late])
    with pytest.raises(EngineError, match="2 of 2 answers hold no bar"):
        peaks_of(FACTORY, "classic", str(path), 1, ["LONG0"])


def test_the_smallest_is_picked() -> None:
    peaks = [Peaks("classic", 1, growth, 0, 0, 0, 1, "") for growth in (5, 3, 4)]
    assert smallest(peaks).growth == 3


def test_the_script_prints_one_line_of_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    path = tmp_path / "history.duckdb"
    (name,) = write_history(path, 1, 1)
    monkeypatch.setattr(peak_memory.sys, "argv", ["peak_memory", FACTORY, "classic", str(path), "1", name])
    peak_memory.main()
    (found,) = json.loads(capsys.readouterr().out)
    assert Peaks(**found).engine == "classic"

"""Running benchmarks by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from candlewick.benchmarks import run
from candlewick.benchmarks.benchmark import Benchmark
from candlewick.benchmarks.contest import Contender, Contest
from candlewick.benchmarks.goal import Within
from candlewick.benchmarks.machine import Machine
from candlewick.benchmarks.registry import BENCHMARKS, find_benchmarks
from candlewick.benchmarks.run import measure, run_benchmarks
from candlewick.errors import UnknownNameError

Maker = Callable[..., Contender]


def test_the_rows_in_their_order() -> None:
    assert " ".join(BENCHMARKS) == "desk wide scan minutes live ingest routing delivery service"
    assert [one.name for one in find_benchmarks()] == list(BENCHMARKS)


def test_names_choose_rows_each_once_in_the_order_of_the_registry() -> None:
    assert [one.name for one in find_benchmarks(["live", "desk", "live"])] == ["desk", "live"]


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="benchmark: 'dest' is unknown; nearest: desk"):
        run_benchmarks(["dest"])


def test_what_the_goals_are_about_is_measured() -> None:
    goals = {name: [goal.text for goal in (*one.target, *one.stretch)] for name, one in BENCHMARKS.items()}
    assert goals == {
        "desk": ["3.5x TA-Lib + numpy", "14x pandas", "5x TA-Lib + numpy", "1.5x the copy"],
        "wide": ["1 ns", "0.6 ns"],
        "scan": ["200M candles/s", "300M candles/s"],
        "minutes": ["3x polars group_by_dynamic", "4 ns"],
        "live": ["60 ns", "25 ns"],
        "ingest": ["500k rows/s", "1M rows/s"],
        "routing": ["1 us", "0.5 us"],
        "delivery": ["10 us", "5 us"],
        "service": [
            "1.67x classic (V1)",
            "60% less memory",
            "85% cache hits",
            "10x classic (V1)",
            "90% less memory",
            "95% cache hits",
        ],
    }


@pytest.mark.parametrize("quick", [True, False])
def test_each_row_gets_a_folder_of_its_own_which_is_removed(
    tmp_path: Path, machine: Machine, contender: Maker, quick: bool
) -> None:
    seen: list[tuple[str, Path]] = []

    def make(size: str) -> Callable[[Path], Contest]:
        def build(folder: Path) -> Contest:
            (folder / "file").touch()
            seen.append((size, folder))
            return Contest([contender("ours", [1, 1], ours=True)], 8.0, rounds=1)

        return build

    rows = [Benchmark(name, name, "row", (Within(1e9),), (), make("full"), make("quick")) for name in ("a", "b")]
    said: list[str] = []
    report = measure(rows, machine, said.append, quick=quick, folder=tmp_path)
    assert [size for size, _ in seen] == ["quick" if quick else "full"] * 2
    assert len({folder for _, folder in seen}) == 2
    assert not list(tmp_path.iterdir())
    assert report.quick is quick
    assert [row.as_dict()["meets_target"] for row in report.rows] == [True, True]
    assert said[0] == "a: preparing"
    assert said[-1] == "b: 4 of 4 runs"


def test_a_run_measures_the_machine_first(monkeypatch: pytest.MonkeyPatch, machine: Machine, contender: Maker) -> None:
    def build(_: Path) -> Contest:
        return Contest([contender("ours", [1, 1], ours=True)], 8.0, rounds=1)

    monkeypatch.setattr(run, "this_machine", lambda: machine)
    monkeypatch.setattr(run, "find_benchmarks", lambda names: [Benchmark(*names, "a", "row", (), (), build, build)])
    said: list[str] = []
    report = run_benchmarks(["a"], said.append)
    assert report.machine is machine
    assert not report.quick
    assert said[:2] == ["copy speed", "a: preparing"]


def test_progress_may_be_left_out(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    monkeypatch.setattr(run, "this_machine", lambda: machine)
    monkeypatch.setattr(run, "find_benchmarks", lambda names: [])
    assert run_benchmarks().rows == []


@pytest.mark.slow
@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_every_row_at_its_quick_size(name: str, tmp_path: Path) -> None:
    report = run_benchmarks([name], quick=True, folder=tmp_path)
    assert report.agreed
    assert json.loads(json.dumps(report.as_dict(), allow_nan=False))["rows"][0]["contenders"][0]["best_ns"] > 0

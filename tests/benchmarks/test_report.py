"""The report: ratios, verdicts, JSON, tables."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from candlewick.benchmarks.benchmark import Benchmark
from candlewick.benchmarks.contest import COPY, Contest, Result, Status
from candlewick.benchmarks.goal import AtLeast, Faster, TimesTheCopy, Within
from candlewick.benchmarks.machine import Machine
from candlewick.benchmarks.report import Report, Row


def nothing(_: Path) -> Contest:
    raise NotImplementedError


BENCHMARK = Benchmark(
    "desk", "the desk set", "candle", (Faster(3.0, "slow"),), (Within(9.0), TimesTheCopy(3.0)), nothing, nothing
)


def measured(name: str, *times: float, ours: bool = False) -> Result:
    return Result(name, Status.MEASURED, ours, "", 100, times, times, 0.0, 1e-9)


RESULTS = [
    measured("ours", 12.0, 10.0, 11.0, ours=True),
    measured("ours, fresh", 20.0, 24.0, 22.0, ours=True),
    measured("slow", 40.0, 60.0, 50.0),
    measured("quick", 33.0, 20.0, 22.0),
    Result("wrong", Status.DIFFERS, difference=inf, tolerance=1e-9, units=100),
    Result("off", Status.DIFFERS, difference=0.25, tolerance=1e-9, units=100),
    Result("gone", Status.ABSENT, note="gone is not installed"),
    Result("other", Status.LEFT_OUT, note="does something else"),
    measured(COPY, 5.0, 4.0, 6.0),
]


@pytest.fixture
def row() -> Row:
    return Row(BENCHMARK, RESULTS, copy_speed=23.0)


def test_the_first_of_ours_is_judged_and_the_quickest_peer_is_the_best(row: Row) -> None:
    assert row.ours.name == "ours"
    assert [peer.name for peer in row.peers] == ["slow", "quick"]
    assert row.best_peer is not None
    assert row.best_peer.name == "quick"
    assert [result.name for result in row.differing] == ["wrong", "off"]


def test_verdicts_are_of_the_best_times(row: Row) -> None:
    assert [verdict.figure for verdict in row.judged(BENCHMARK.target)] == [4.0]
    assert [(verdict.figure, verdict.met) for verdict in row.judged(BENCHMARK.stretch)] == [(10.0, False), (2.5, True)]


def test_the_row_as_json(row: Row) -> None:
    found = row.as_dict()
    assert (found["name"], found["unit"], found["best_peer"]) == ("desk", "candle", "quick")
    assert (found["target"], found["stretch"]) == ("3x slow", "9 ns and 3x the copy")
    assert (found["meets_target"], found["meets_stretch"]) == (True, False)
    assert found["criteria"] == [
        {"level": "target", "text": "3x slow", "figure": 4.0, "met": True},
        {"level": "stretch", "text": "9 ns", "figure": 10.0, "met": False},
        {"level": "stretch", "text": "3x the copy", "figure": 2.5, "met": True},
    ]


def test_contenders_as_json(row: Row) -> None:
    by_name: dict[str, dict[str, Any]] = {one["name"]: one for one in row.as_dict()["contenders"]}
    assert list(by_name) == [result.name for result in RESULTS]
    assert by_name["ours"] == {
        "name": "ours",
        "ours": True,
        "status": "measured",
        "difference": 0.0,
        "tolerance": 1e-9,
        "units": 100,
        "runs": 3,
        "best_ns": 10.0,
        "median_ns": 11.0,
        "cpu_median_ns": 11.0,
        "units_per_second": 100_000_000,
        "ratio_to_best_peer": 0.5,
        "ratio_to_copy": 2.5,
        "median_ratio_to_best_peer": 0.5,
    }
    assert by_name["wrong"]["difference"] is None
    assert "best_ns" not in by_name["wrong"]
    assert by_name["gone"] == {
        "name": "gone",
        "ours": False,
        "status": "absent",
        "note": "gone is not installed",
    }
    assert by_name["other"]["status"] == "left out"


def test_without_any_peer_ratios_are_null_and_the_goal_is_not_judged() -> None:
    found = Row(BENCHMARK, [RESULTS[0], RESULTS[-1]], 23.0).as_dict()
    assert found["best_peer"] is None
    assert found["meets_target"] is None
    assert found["contenders"][0]["ratio_to_best_peer"] is None
    assert found["contenders"][0]["median_ratio_to_best_peer"] is None


def test_the_whole_report_is_json_and_says_whether_all_agreed(row: Row, machine: Machine) -> None:
    report = Report(machine, [row], quick=True)
    found = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert (found["agreed"], found["quick"], found["machine"]["copy_gb_per_s"]) == (False, True, 23.0)
    assert found["rows"][0]["name"] == "desk"
    sound = replace(row, results=[one for one in RESULTS if one.status is not Status.DIFFERS])
    assert Report(machine, [sound]).agreed


def test_tables_name_everyone_with_what_became_of_them(row: Row, machine: Machine) -> None:
    report = Report(machine, [row])
    console = Console(file=io.StringIO(), width=200)
    for table in report.tables():
        console.print(table)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for shown in (
        "desk: the desk set (ns a candle)",
        "gone is not installed",
        "does something else",
        "by 0.25 of the largest value",
        "in columns or undefined rows",
        "target: 3x slow: met (4)",
        "stretch: 9 ns: missed (10)",
    ):
        assert shown in text
    assert all(result.name in text for result in RESULTS)


def test_a_goal_without_its_peer_is_shown_as_not_judged() -> None:
    console = Console(file=io.StringIO(), width=200)
    report = Report(Machine("c", 1, None, "s", "3", 23.0, None, {}), [Row(BENCHMARK, [RESULTS[0], RESULTS[-1]], 23.0)])
    console.print(report.tables()[0])
    assert "target: 3x slow: not judged" in console.file.getvalue()  # type: ignore[attr-defined]


def test_large_figures_are_shown_whole() -> None:
    huge = measured("huge", 1_234_567.0)
    console = Console(file=io.StringIO(), width=200)
    report = Report(
        Machine("c", 1, None, "s", "3", 23.0, None, {}), [Row(BENCHMARK, [RESULTS[0], huge, RESULTS[-1]], 23.0)]
    )
    console.print(report.tables()[0])
    assert "1,235,000" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_heading_says_where_and_how_busy(machine: Machine) -> None:
    assert Report(machine, []).heading() == (
        "a CPU, 2 cores, np.copyto 23.0 GB/s, load 0.5. Best and median in ns a unit; CPU counts all threads."
    )
    quick = Report(replace(machine, load=None), [], quick=True).heading()
    assert "load" not in quick
    assert quick.endswith("these figures are no measurement.")


def test_figures_beside_the_time_are_shown_and_judged() -> None:
    goals = (AtLeast("hit_rate", 0.85, "85% cache hits"),)
    ours = replace(RESULTS[0], figures={"hit_rate": 0.912345})
    found = Row(Benchmark("a", "a", "row", goals, (), nothing, nothing), [ours, RESULTS[-1]], copy_speed=23.0).as_dict()
    assert found["contenders"][0]["figures"] == {"hit_rate": 0.9123}
    assert found["meets_target"] is True
    assert "figures" not in found["contenders"][1]

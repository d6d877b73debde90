"""The short table of a recorded run, as its command prints it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from candlewick.benchmarks.benchmark import Benchmark
from candlewick.benchmarks.contest import Contender, Contest, race
from candlewick.benchmarks.goal import Faster, Within
from candlewick.benchmarks.machine import Machine
from candlewick.benchmarks.report import Report, Row

SCRIPT = Path(__file__).resolve().parents[2] / "bench" / "table.py"
Maker = Callable[..., Contender]


def printed(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("peer", [True, False])
def test_one_row_a_benchmark(
    tmp_path: Path, machine: Machine, clock: Callable[[], int], contender: Maker, peer: bool
) -> None:
    contenders = [contender("ours", [0, 200, 100, 300], ours=True)]
    if peer:
        contenders.append(contender("peer", [0, 400, 500, 600]))
    contest = Contest(contenders, 8.0, rounds=3)
    row = Benchmark("a", "a", "row", (Faster(3, "peer"),), (Within(9),), lambda _: contest, lambda _: contest)
    times = iter(range(0, 10**9, 1))

    def now() -> int:  # the copy takes a nanosecond, so that there is a ratio to it
        return clock() + next(times)

    report = Report(machine, [Row(row, race(contest, clock=now, cpu_clock=clock), 23.0)], quick=peer)
    file = tmp_path / "run.json"
    file.write_text(json.dumps(report.as_dict(), allow_nan=False))
    found = printed(str(file))
    assert found.returncode == 0, found.stderr
    assert ("no measurement" in found.stdout) is peer
    cells = [cell.strip() for cell in found.stdout.splitlines()[-1].strip("|").split("|")]
    assert cells[:3] == ["a", "row", "10.1 / 20.1"]
    assert cells[3:5] == (["peer: 40.1", "3.97"] if peer else ["none measured", ""])
    assert cells[6] == ("3x peer: met (3.97)" if peer else "3x peer: not judged")
    assert cells[7] == "9 ns: missed (10.1)"


def test_without_a_file_it_says_how_to_use_it() -> None:
    found = printed()
    assert found.returncode == 1
    assert found.stderr == "usage: python bench/table.py RESULT.json\n"

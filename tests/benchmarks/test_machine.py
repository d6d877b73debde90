"""The machine that figures are taken on."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from candlewick.benchmarks import machine
from candlewick.benchmarks.machine import copy_speed, cpu_name, this_machine


def test_copy_speed_is_bytes_read_and_written_over_the_quickest_copy() -> None:
    moments: Iterator[int] = iter([0, 400, 1_000, 1_100, 2_000, 2_300])
    assert copy_speed(800, rounds=3, clock=lambda: next(moments)) == 16.0


def test_a_clock_that_does_not_move_gives_no_division_by_zero() -> None:
    assert copy_speed(800, rounds=1, clock=lambda: 7) == 1600.0


def test_this_machine_is_described() -> None:
    found = this_machine(bytes_copied=8_000)
    assert found.cpu
    assert found.cores >= 1
    assert found.copy_speed > 0
    assert found.python == platform.python_version()
    assert found.versions["numpy"] == np.__version__
    assert found.memory_gb is None or found.memory_gb > 0
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["versions"]["candlewick"]


def test_a_system_that_says_little_is_described_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.delattr(os, "getloadavg", raising=False)
    monkeypatch.setattr(os, "sysconf_names", {}, raising=False)
    monkeypatch.setattr(machine, "PACKAGES", ("numpy", "nowhere-to-be-found"))
    found = this_machine(bytes_copied=8_000)
    assert (found.load, found.memory_gb) == (None, None)
    assert found.cores == (os.cpu_count() or 1)
    assert found.versions == {"numpy": np.__version__}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor : 0\nmodel name : Fast CPU @ 3 GHz\nmodel name: other\n", "Fast CPU @ 3 GHz"),
        ("model name :\n", None),
        ("", None),
        (None, None),
    ],
)
def test_cpu_name(tmp_path: Path, text: str | None, expected: str | None) -> None:
    table = tmp_path / "cpuinfo"
    if text is not None:
        table.write_text(text)
    assert cpu_name(table) == (expected or platform.processor() or platform.machine())

"""Memory: what the process takes, as the system tells it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from candlewick.monitoring.memory import resident_bytes, usage


def test_memory_that_is_used_is_seen():
    before = resident_bytes()
    held = bytearray(b"x") * (64 << 20)
    assert resident_bytes() - before > 48 << 20
    assert len(held) == 64 << 20


def test_the_figures_are_those_of_this_process():
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc")
    found = usage()
    said = {
        line.partition(":")[0]: line.partition(":")[2].split()[0]
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.partition(":")[2].split()
    }
    assert found.threads == int(said["Threads"])
    assert found.resident == pytest.approx(int(said["VmRSS"]) * 1024, rel=0.2)
    assert found.processor > 0
    assert found.started <= time.time()

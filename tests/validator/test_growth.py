"""Bytes in use over many requests."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from candlewick.errors import EngineError
from candlewick.validator import growth
from candlewick.validator.growth import counter, growth_of, measure_growth


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few requests, and what traces them ends with the test."""
    monkeypatch.setattr(growth, "LOAD", {"symbols": 2, "sessions": 5, "minutes": 1, "requests": 10})
    monkeypatch.setattr(growth, "BLOCKS", 8)
    yield
    tracemalloc.stop()


def test_where_allocations_go_elsewhere_python_itself_counts() -> None:
    method, in_use = counter()
    assert method == "tracemalloc"
    before = in_use()
    kept = bytes(1_000_000)
    assert 1_000_000 <= in_use() - before < 1_100_000
    del kept
    assert in_use() - before < 100_000


def test_where_all_goes_through_the_c_library_its_count_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    if growth.c_function("mallinfo2") is None:
        pytest.skip("the C library has no mallinfo2")
    monkeypatch.setenv("PYTHONMALLOC", "malloc")
    method, in_use = counter()
    assert method == "mallinfo2 with PYTHONMALLOC=malloc"
    before = in_use()
    kept = bytes(50_000_000)
    assert in_use() - before > 49_000_000
    del kept
    assert in_use() - before < 5_000_000


def test_samples_are_taken_after_every_block(tmp_path: Path) -> None:
    found = growth_of("candlewick.app:build", tmp_path, 40)
    assert found.requests == tuple(range(5, 45, 5))
    assert len(found.bytes) == len(found.resident) == 8
    assert min(found.resident) > 1_000_000


def test_the_script_prints_one_line_of_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(growth.sys, "argv", ["growth", "candlewick.app:build", str(tmp_path), "20"])
    growth.main()
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["method", "requests", "bytes", "resident"]


def test_a_process_that_fails_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="give module:function"):
        measure_growth("candlewick.app:none", tmp_path, 20)

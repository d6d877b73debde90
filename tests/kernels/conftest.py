"""A cache folder of kernels for one test alone."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

building = import_module("candlewick.kernels.build")  # the package gives its function this name


@pytest.fixture
def kernel_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Kernels built in this test go to an empty folder, and what was built before is forgotten meanwhile."""
    monkeypatch.setenv("CANDLEWICK_CACHE", str(tmp_path / "cache"))
    building._folder.cache_clear()
    building._built.cache_clear()
    yield tmp_path / "cache"
    building._folder.cache_clear()
    building._built.cache_clear()

"""A cache folder of kernels for one test alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from candlewick.kernels import build


@pytest.fixture
def kernel_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Kernels built in this test go to an empty folder, and what was built before is forgotten meanwhile."""
    monkeypatch.setenv("CANDLEWICK_CACHE", str(tmp_path / "cache"))
    build._folder.cache_clear()
    build._built.cache_clear()
    yield tmp_path / "cache"
    build._folder.cache_clear()
    build._built.cache_clear()

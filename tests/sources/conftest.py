from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

HEADER = "symbol,timestamp,open,high,low,close,volume"


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines (or bytes) as a file; a header is put before lines."""

    def write(*lines: str, header: str = HEADER, name: str = "a.csv", data: bytes | None = None) -> Path:
        path = tmp_path / name
        path.write_bytes("".join(f"{line}\n" for line in (header, *lines)).encode() if data is None else data)
        return path

    return write

"""Table: every cell is there, aligned, in blocks that fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.cli import table
from candlewick.cli.table import GAP, SHOWN, blocks, print_bars, print_table

WIDTHS = st.dictionaries(st.text(min_size=1, max_size=4), st.integers(1, 30), min_size=1, max_size=12)


@given(WIDTHS, st.integers(1, 120))
def test_blocks_hold_every_column_once_and_fit(widths: dict[str, int], room: int) -> None:
    first, *rest = widths
    groups = blocks(widths, room)
    assert [name for group in groups for name in group[1:]] == rest
    for group in groups:
        assert group[0] == first
        used = sum(widths[name] for name in group) + GAP * (len(group) - 1)
        assert used <= room or len(group) <= 2


def test_numbers_stand_right_and_texts_left(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "rows"), [["a", "1"], ["bc", "1000000"]], numbers=(1,))
    assert capsys.readouterr().out == "name     rows\n----  -------\na           1\nbc    1000000\n"


def bars(rows: int) -> dict[str, np.ndarray]:
    return {
        "time": np.datetime64("2024-01-02T14:30", "us") + np.arange(rows) * np.timedelta64(60, "s"),
        "close": np.arange(rows) + 0.125,
        "volume": np.full(rows, 1234567890.0),
        "sma_9": np.full(rows, np.nan),
        "n": np.ones(rows, dtype=np.int32),
        "final": np.ones(rows, dtype=np.bool_),
    }


def test_the_last_rows_are_shown_and_all_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    print_bars("AAPL 1m", bars(1000))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"AAPL 1m: the last {SHOWN} of 1,000 bars"
    assert lines[2].split() == ["2024-01-03T06:50:00Z", "980.125", "1234567890", "1", "true"]
    assert len([line for line in lines if line.startswith("2024")]) == SHOWN


@pytest.mark.parametrize(("rows", "said"), [(0, "0 bars"), (1, "1 bar"), (2, "2 bars")])
def test_a_short_answer_is_shown_whole(rows: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_bars("AAPL 1m", bars(rows))
    assert capsys.readouterr().out.endswith(f"AAPL 1m: {said}\n")


def test_a_narrow_terminal_gets_several_blocks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table.sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    print_bars("AAPL 1m", bars(3))
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("time")]) > 1
    assert max(map(len, lines)) <= 40

"""Progress: silent without a terminal, and honest on one."""

from __future__ import annotations

import io
import sys

import pytest

from candlewick.cli.progress import ingest_progress, step_progress


class Terminal(io.StringIO):
    """A standard error that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with ingest_progress("Reading") as progress:
        assert progress is None
    with step_progress("Demo") as step:
        step("one")
    assert capsys.readouterr() == ("", "")


def test_a_terminal_sees_rows_and_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", terminal)
    with ingest_progress("Reading") as progress:
        assert progress is not None
        progress(50, 100, 12345)
    shown = terminal.getvalue()
    for part in ("Reading", "50%", "12,345 rows", "rows/s"):
        assert part in shown


def test_a_terminal_sees_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    with step_progress("Demo") as step:
        step("simulating")
    assert "Demo" in terminal.getvalue()

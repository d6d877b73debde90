"""The check that runs a test suite, on suites of a few lines."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from candlewick.validator import coverage
from candlewick.validator.context import Context
from candlewick.validator.result import Status

Make = Callable[..., Context]

SUITE = """#!/bin/sh
"$PYTHON" -m coverage run --source . part.py {extra}
exit {code}
"""


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite that is run has nothing to do with the one that runs it."""
    for variable in list(os.environ):
        if variable.startswith("COV"):
            monkeypatch.delenv(variable)


def checkout(folder: Path, *, taken: bool = True, code: int = 0) -> Path:
    """A project whose suite reaches all or half of its one module."""
    (folder / "scripts").mkdir()
    (folder / "pyproject.toml").write_text("[tool.coverage.run]\nbranch = true\n")
    (folder / "part.py").write_text("import sys\nif len(sys.argv) > 1:\n    a = 1\n    b = 2\n    c = 3\n    d = 4\n")
    script = folder / "scripts" / "test"
    body = SUITE.format(extra="x" if taken else "", code=code)
    if taken:
        body = body.replace("part.py x", 'part.py x\n"$PYTHON" -m coverage run -a --source . part.py')
    script.write_text(body)
    script.chmod(0o755)
    return folder


def test_other_profiles_waive_it_and_say_why(context: Make) -> None:
    result = coverage.run(context())
    assert result.status is Status.WAIVED
    assert "release" in str(result.reason)
    assert result.as_dict()["measured"] is None


def test_without_a_checkout_it_is_waived(context: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Context, "source", None)
    result = coverage.run(context(coverage=True))
    assert result.status is Status.WAIVED
    assert "no source checkout" in str(result.reason)


def test_a_suite_that_reaches_everything_passes(context: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Context, "source", checkout(tmp_path))
    result = coverage.run(context(coverage=True))
    assert (result.status, result.measured, result.threshold) == (Status.PASS, 100.0, 95.0)


def test_a_suite_that_leaves_lines_out_fails(tmp_path: Path) -> None:
    result = coverage.measured(checkout(tmp_path, taken=False), tmp_path / "found.json")
    assert result.status is Status.FAIL
    assert 0 < float(result.measured or 0) < 95
    assert "less than 95%" in str(result.reason)


def test_a_suite_that_fails_fails_however_much_it_reaches(tmp_path: Path) -> None:
    result = coverage.measured(checkout(tmp_path, code=3), tmp_path / "found.json")
    assert result.status is Status.FAIL
    assert result.measured == 100.0
    assert result.reason == "the suite ends with exit code 3"


def test_a_suite_without_coverage_is_unknown(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    (root / "scripts" / "test").write_text("#!/bin/sh\nexit 1\n")
    result = coverage.measured(root, tmp_path / "found.json")
    assert result.status is Status.UNKNOWN
    assert result.measured == "nothing"

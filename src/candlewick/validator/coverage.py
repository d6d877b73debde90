"""coverage: the test suite is run and its coverage read. Only where there is one: in a source checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.result import Result, judged, unknown, waived

NAME = "coverage"
THRESHOLD = 95.0
SUITE = Path("scripts") / "test"


def run(context: Context) -> Result:
    """``measured``: percent of lines and branches that the suite reaches."""
    if not context.profile.coverage:
        return waived(NAME, f"the {context.profile.name} profile does not run the test suite: use --profile release")
    root = context.source
    if root is None or not (root / SUITE).is_file():
        return waived(NAME, "this is no source checkout: there is no test suite to run")
    context.progress(f"{NAME}: running the suite, which takes minutes")
    return measured(root, context.file("coverage.json"))


def measured(root: Path, file: Path) -> Result:
    """Run the suite of the checkout at ``root`` and judge its coverage."""
    environment = {**os.environ, "PYTHON": sys.executable}
    suite = subprocess.run([str(root / SUITE)], cwd=root, env=environment, capture_output=True, text=True, check=False)
    evidence: dict[str, Any] = {
        "unit": "% of lines and branches",
        "suite": str(SUITE),
        "exit_code": suite.returncode,
        "last_lines": suite.stdout.strip().splitlines()[-3:],
    }
    command = [sys.executable, "-m", "coverage", "json", "-q", "-o", str(file)]
    read = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if read.returncode not in (0, 2) or not file.is_file():  # 2: read, but under the bound
        return unknown(NAME, THRESHOLD, evidence, f"no coverage can be read: {read.stdout.strip()[-200:]}")
    percent = round(float(json.loads(file.read_text())["totals"]["percent_covered"]), 2)
    if suite.returncode and percent >= THRESHOLD:
        reason = f"the suite ends with exit code {suite.returncode}"
    else:
        reason = f"the suite reaches {percent:g}% of lines and branches, less than {THRESHOLD:g}%"
    return judged(NAME, percent >= THRESHOLD and suite.returncode == 0, percent, THRESHOLD, evidence, reason)


COVERAGE = Check(NAME, THRESHOLD, run)

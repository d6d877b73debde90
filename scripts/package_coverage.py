"""Fail when any package of candlewick is covered less than the bound, branches counted."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path


def shares(report: dict[str, object]) -> dict[str, float]:
    """Percent covered of each package, lines and branches counted alike, from coverage's JSON report."""
    covered: dict[str, int] = defaultdict(int)
    total: dict[str, int] = defaultdict(int)
    for name, entry in report["files"].items():  # type: ignore[attr-defined]
        parts = Path(name).parts
        inside = parts[parts.index("candlewick") + 1 :]
        package = "candlewick" if len(inside) == 1 else f"candlewick.{inside[0]}"
        summary = entry["summary"]
        covered[package] += summary["covered_lines"] + summary["covered_branches"]
        total[package] += summary["num_statements"] + summary["num_branches"]
    return {name: 100.0 * covered[name] / total[name] for name in sorted(total) if total[name]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fail-under", type=float, required=True)
    bound = parser.parse_args().fail_under
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "coverage.json"
        subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", str(file)], check=True)
        result = shares(json.loads(file.read_text()))
    for name, share in result.items():
        sys.stdout.write(f"{share:6.1f}%  {name}{'' if share >= bound else f'  UNDER {bound:g}%'}\n")
    return int(any(share < bound for share in result.values()))


if __name__ == "__main__":
    sys.exit(main())

"""The short table of a recorded run: `python bench/table.py bench/results/latest.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SAID = {True: "met", False: "missed", None: "not judged"}


def short_table(report: dict[str, Any]) -> str:
    """One Markdown row a benchmark: our best and median, the best peer, the copy, and how the goals stand."""
    machine = report["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}, "
        f"np.copyto {machine['copy_gb_per_s']} GB/s, load {machine['load']}.",
        "",
        "| row | unit | ours, ns (best / median) | best peer, ns | peer / ours | ours / copy | target | stretch |",
        "|---|---|---|---|---|---|---|---|",
    ]
    if report["quick"]:
        lines.insert(1, "Small sizes: these figures are no measurement.")
    return "\n".join([*lines, *(_row(row) for row in report["rows"]), ""])


def _row(row: dict[str, Any]) -> str:
    by_name = {one["name"]: one for one in row["contenders"]}
    ours = next(one for one in row["contenders"] if one["ours"])
    peer = by_name.get(row["best_peer"])
    cells = [
        row["name"],
        row["unit"],
        f"{ours['best_ns']:g} / {ours['median_ns']:g}",
        f"{peer['name']}: {peer['best_ns']:g}" if peer else "none measured",
        f"{peer['best_ns'] / ours['best_ns']:.3g}" if peer else "",
        f"{ours['ratio_to_copy']:g}",
        *(_goals(row, level) for level in ("target", "stretch")),
    ]
    return f"| {' | '.join(cells)} |"


def _goals(row: dict[str, Any], level: str) -> str:
    found = [one for one in row["criteria"] if one["level"] == level]
    return ", ".join(
        f"{one['text']}: {SAID[one['met']]}" + ("" if one["figure"] is None else f" ({one['figure']:g})")
        for one in found
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python bench/table.py RESULT.json")
    sys.stdout.write(short_table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))

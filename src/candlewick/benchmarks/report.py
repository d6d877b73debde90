"""Report: what was measured, judged against the goals, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from candlewick.benchmarks.benchmark import Benchmark
from candlewick.benchmarks.contest import COPY, Result, Status
from candlewick.benchmarks.goal import Goal, Standing, Verdict, all_met
from candlewick.benchmarks.machine import Machine

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One benchmark's results; the last of them is the copy. Ratios and verdicts are of the best times."""

    benchmark: Benchmark
    results: Sequence[Result]
    copy_speed: float

    @property
    def ours(self) -> Result:
        """The first of ours: what the goals are about."""
        return next(result for result in self.results if result.ours)

    @property
    def copy(self) -> Result:
        """The copy of the same bytes."""
        return next(result for result in self.results if result.name == COPY)

    @property
    def peers(self) -> list[Result]:
        """Peers that were measured."""
        return [
            result
            for result in self.results
            if result.status is Status.MEASURED and not result.ours and result.name != COPY
        ]

    @property
    def best_peer(self) -> Result | None:
        """The quickest peer; None when none was measured."""
        return min(self.peers, key=lambda peer: peer.best, default=None)

    @property
    def differing(self) -> list[Result]:
        """Those whose answers are not ours."""
        return [result for result in self.results if result.status is Status.DIFFERS]

    def judged(self, goals: Sequence[Goal]) -> list[Verdict]:
        """Each goal's verdict."""
        peers = {peer.name: peer.best for peer in self.peers}
        standing = Standing(self.ours.best, peers, self.copy.best, self.copy_speed, self.ours.figures)
        return [goal.judge(standing) for goal in goals]

    def as_dict(self) -> dict[str, Any]:
        """As one JSON object. Nanoseconds are a unit's; a ratio above 1 says how many times as long as the other."""
        target, stretch = self.judged(self.benchmark.target), self.judged(self.benchmark.stretch)
        best_peer = self.best_peer
        return {
            "name": self.benchmark.name,
            "title": self.benchmark.title,
            "unit": self.benchmark.unit,
            "target": " and ".join(verdict.text for verdict in target),
            "stretch": " and ".join(verdict.text for verdict in stretch),
            "meets_target": all_met(target),
            "meets_stretch": all_met(stretch),
            "criteria": [
                {"level": level, "text": v.text, "figure": _rounded(v.figure), "met": v.met}
                for level, verdicts in (("target", target), ("stretch", stretch))
                for v in verdicts
            ],
            "best_peer": best_peer.name if best_peer else None,
            "contenders": [self._contender(result) for result in self.results],
        }

    def _contender(self, result: Result) -> dict[str, Any]:
        best_peer = self.best_peer
        known: dict[str, Any] = {"name": result.name, "ours": result.ours, "status": str(result.status)}
        if result.note:
            known["note"] = result.note
        if result.difference is not None:
            # JSON knows no infinity: null says that columns or their undefined rows are others
            known["difference"] = result.difference if isfinite(result.difference) else None
            known["tolerance"] = result.tolerance
        if result.status is not Status.MEASURED:
            return known
        if result.figures:
            known["figures"] = {name: _rounded(figure) for name, figure in result.figures.items()}
        return known | {
            "units": result.units,
            "runs": len(result.wall),
            "best_ns": _rounded(result.best),
            "median_ns": _rounded(result.median),
            "cpu_median_ns": _rounded(result.cpu_median),
            "units_per_second": round(1e9 / result.best),
            "ratio_to_best_peer": _rounded(result.best / best_peer.best) if best_peer else None,
            "ratio_to_copy": _rounded(result.best / self.copy.best),
            "median_ratio_to_best_peer": _rounded(result.median / best_peer.median) if best_peer else None,
        }


@dataclass(frozen=True)
class Report:
    """All rows of one run, and the machine that it ran on. ``quick``: small sizes, whose figures mean little."""

    machine: Machine
    rows: Sequence[Row]
    quick: bool = False

    @property
    def agreed(self) -> bool:
        """True when every contender that ran computed what ours did."""
        return not any(row.differing for row in self.rows)

    def as_dict(self) -> dict[str, Any]:
        """As one JSON object: ``machine``, ``quick``, ``agreed`` and ``rows``."""
        return {
            "machine": self.machine.as_dict(),
            "quick": self.quick,
            "agreed": self.agreed,
            "rows": [row.as_dict() for row in self.rows],
        }

    def tables(self) -> list[Table]:
        """One rich table a benchmark."""
        return [_table(row) for row in self.rows]

    def heading(self) -> str:
        """One line about the machine."""
        machine = self.machine
        load = "" if machine.load is None else f", load {machine.load:g}"
        small = " Small sizes: these figures are no measurement." if self.quick else ""
        return (
            f"{machine.cpu}, {machine.cores} cores, np.copyto {machine.copy_speed:.1f} GB/s{load}. "
            f"Best and median in ns a unit; CPU counts all threads.{small}"
        )


def _table(row: Row) -> Table:
    from rich.table import Table

    found = row.as_dict()
    said = {True: "met", False: "missed", None: "not judged"}
    caption = "\n".join(
        f"{criterion['level']}: {criterion['text']}: {said[criterion['met']]}"
        + ("" if criterion["figure"] is None else f" ({criterion['figure']:g})")
        for criterion in found["criteria"]
    )
    title = f"{found['name']}: {found['title']} (ns a {found['unit']})"
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    table.add_column("contender")
    for heading in ("best", "median", "CPU", "x best peer", "x copy"):
        table.add_column(heading, justify="right")
    table.add_column("note")
    for contender in found["contenders"]:
        table.add_row(*_cells(contender), style="bold" if contender["ours"] else None)
    return table


def _cells(contender: dict[str, Any]) -> list[str]:
    note = contender.get("note", "")
    if contender["status"] != Status.MEASURED:
        if contender["status"] == Status.DIFFERS:
            how = contender["difference"]
            note = f"by {how:.2g} of the largest value" if how is not None else "in columns or undefined rows"
        return [contender["name"], contender["status"], "", "", "", "", note]
    keys = ("best_ns", "median_ns", "cpu_median_ns", "ratio_to_best_peer", "ratio_to_copy")
    return [contender["name"], *(_shown(contender[key]) for key in keys), note]


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")

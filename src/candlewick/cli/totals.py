"""Totals: what came in, in all, piece by piece, and how that is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from candlewick.sources.summary import IngestSummary

COUNTS = ("rows", "inserted", "updated", "unchanged", "duplicates", "quarantined")


class Totals:
    """What came in, in all."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys((*COUNTS, "superseded", "pieces"), 0)
        self.symbols: set[str] = set()
        self._started = time.monotonic()

    def add(self, summary: IngestSummary, superseded: int = 0) -> None:
        for name in COUNTS:
            self.counts[name] += getattr(summary, name)
        self.counts["superseded"] += superseded
        self.counts["pieces"] += 1
        self.symbols |= set(summary.symbols)

    def report(self, *, as_json: bool) -> None:
        from candlewick.cli.output import print_json

        seconds = round(time.monotonic() - self._started, 3)
        if as_json:
            print_json({**self.counts, "symbols": sorted(self.symbols), "seconds": seconds})
            return
        parts = ", ".join(f"{self.counts[name]:,} {name}" for name in (*COUNTS[1:], "superseded"))
        names = len(self.symbols)
        what = f"{self.counts['rows']:,} rows of {names} symbol{'' if names == 1 else 's'}"
        typer.echo(f"{what} in {seconds:.2f} s: {parts}")

"""demo: a first look, with real and simulated candles."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from candlewick.demo.tour import Tour


def demo(store: options.DemoStore = None) -> None:
    """Load real daily and simulated minute candles and show 5-minute bars with indicators.

    Ends by itself and leaves nothing behind unless --store names a store to keep.
    """
    from candlewick.cli.candles import answer_columns
    from candlewick.cli.connection import open_for_writing
    from candlewick.cli.progress import step_progress
    from candlewick.cli.table import print_bars
    from candlewick.demo.tour import run_tour

    with chosen_store(store) as url, open_for_writing(url) as repository, step_progress("Demo") as step:
        tour = run_tour(repository, step)
    typer.echo("\n".join(told(tour)) + "\n")
    bars = tour.answer.bars
    print_bars(f"{bars.symbol} {bars.timeframe} (simulated, made of {tour.answer.source})", answer_columns(tour.answer))
    times = ", ".join(f"{name} {_time(seconds)}" for name, seconds in tour.seconds.items())
    typer.echo(f"\nTimes: {times}.\n")
    typer.echo("\n".join(next_steps(program(), store)))


@contextmanager
def chosen_store(given: str | None) -> Iterator[str]:
    """The store to keep, or one in a folder that is removed afterwards."""
    if given is not None:
        yield given
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="candlewick-demo-") as folder:
        yield str(Path(folder) / "demo.duckdb")


def told(tour: Tour) -> list[str]:
    """What went into the store, and what there is to know about it."""
    from candlewick.cli.ingest import summary_lines

    simulated = tour.simulated
    rows = simulated.inserted + simulated.updated + simulated.unchanged
    return [
        "Real daily candles (2000 to 2013, from the package bokeh-sampledata):",
        *(f"  {line}" for line in summary_lines(tour.daily.as_dict())),
        *(f"  warning: {warning}" for warning in tour.daily.warnings),
        "Simulated minute candles (made up, of no real market):",
        f"  {rows:,} rows of 20 symbols in three sessions: {simulated.inserted:,} inserted, "
        f"{simulated.unchanged:,} unchanged",
    ]


def program() -> str:
    """How the reader calls this program: by name where the shell finds it, else by the path it was started with."""
    return "candlewick" if shutil.which("candlewick") or not sys.argv[0].endswith("candlewick") else sys.argv[0]


def next_steps(name: str, store: str | None) -> list[str]:
    """Commands worth trying next, ready to be pasted."""
    kept = store or "demo.duckdb"
    first = [] if store else [f"  {name} demo --store {kept}"]
    return [
        "Try next:",
        *first,
        f"  {name} candles AAPL --timeframe 1w --indicators 'sma(9),macd' --store {kept}",
        f"  {name} candles SIM02 --timeframe 1h --indicators desk --format csv --store {kept}",
        f"  {name} symbols --store {kept}",
        f"  {name} ingest YOUR.csv --calendar XNYS --timezone America/New_York --store {kept}",
    ]


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"

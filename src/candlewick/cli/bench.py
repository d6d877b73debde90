"""bench: how fast it is here, beside other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from candlewick.benchmarks.report import Report

DIFFERS = 1


def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAMES", help="What to measure: desk, wide, scan, minutes, live, ingest. Default: all."),
    ] = None,
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the result as JSON to FILE; - is standard output.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: to try it out, not to quote.")] = False,
    store: options.UnusedStore = None,  # noqa: ARG001 - see its help
) -> None:
    """Measure candlewick beside its peers, taking turns in one process.

    A peer that is not installed is named as absent: pip install 'candlewick[bench]' brings them all. Exit code 1 when
    a peer computed something else than candlewick did.
    """
    from candlewick.benchmarks.run import run_benchmarks
    from candlewick.cli.connection import settings_in_force
    from candlewick.cli.destination import check_place
    from candlewick.cli.output import print_json, write_report
    from candlewick.cli.progress import step_progress

    settings_in_force()
    if json is not None and json != "-":
        check_place(json, "json")
    with step_progress("Measuring") as progress:
        report = run_benchmarks(names or (), progress, quick=quick)
    if json == "-":
        print_json(report.as_dict())
    else:
        if json is not None:
            write_report(report.as_dict(), json)
        _print(report)
    if not report.agreed:
        raise typer.Exit(DIFFERS)


def _print(report: Report) -> None:
    from rich.console import Console

    from candlewick.cli.table import UNBOUNDED

    console = Console()
    if not console.is_terminal:
        console.width = UNBOUNDED
    console.print(report.heading(), highlight=False)
    for table in report.tables():
        console.print(table)

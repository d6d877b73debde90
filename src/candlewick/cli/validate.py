"""validate: whether V2 may go into production: the checklist, measured here and now."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from rich.table import Table

    from candlewick.validator.report import Report
    from candlewick.validator.result import Result

BLOCKED = 1
COLOURS = {"pass": "green", "fail": "red", "unknown": "yellow", "waived": "dim"}


class Depth(StrEnum):
    """How much is measured."""

    QUICK = "quick"
    FULL = "full"
    RELEASE = "release"


def validate(
    profile: Annotated[
        Depth, typer.Option(help="quick: under a minute. full: long loads. release: full, and the test suite.")
    ] = Depth.QUICK,
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the report as JSON to FILE; - is standard output.")
    ] = None,
    store: options.Store = None,
) -> None:
    """Measure whether the optimized engine may replace the classic one, over the candles of the store.

    The store is only read: load runs on a temporary copy of it, with temporary flags, so the rollout in production is
    not touched. Exit code 1 unless every check passes or is waived.
    """
    from candlewick.cli.connection import open_for_reading
    from candlewick.cli.destination import check_place
    from candlewick.cli.output import print_json, write_report
    from candlewick.cli.progress import step_progress
    from candlewick.validator.context import temporary_context
    from candlewick.validator.profile import find_profile
    from candlewick.validator.registry import CHECKS
    from candlewick.validator.run import run_checks

    if json is not None and json != "-":
        check_place(json, "json")
    sizes = find_profile(str(profile))
    with (
        open_for_reading(store) as repository,
        step_progress("Validating") as progress,
        temporary_context(repository, sizes, progress=progress) as context,
    ):
        report = run_checks(context, CHECKS)
    if json == "-":
        print_json(report.as_dict())
    else:
        if json is not None:
            write_report(report.as_dict(), json)
        _print(report)
    if not report.passed:
        raise typer.Exit(BLOCKED)


def _print(report: Report) -> None:
    from rich.console import Console

    from candlewick.cli.table import UNBOUNDED

    console = Console()
    if not console.is_terminal:
        console.width = UNBOUNDED
    console.print(_table(report))
    for result in report.blocking:
        console.print(f"{result.name}: {result.reason}", highlight=False, markup=False)
    console.print(f"verdict: {report.verdict}", highlight=False)


def _table(report: Report) -> Table:
    from rich.table import Table

    table = Table()
    table.add_column("check")
    table.add_column("status")
    for heading in ("measured", "threshold"):
        table.add_column(heading, justify="right")
    table.add_column("of what, or why not")
    for result in report.results:
        colour = COLOURS[str(result.status)]
        table.add_row(
            result.name,
            f"[{colour}]{result.status}[/]",
            _shown(result.measured),
            _shown(result.threshold),
            _words(result),
        )
    return table


def _words(result: Result) -> str:
    from rich.markup import escape

    unit = str((result.evidence or {}).get("unit", ""))
    return escape(result.reason if result.reason and not unit else unit)


def _shown(figure: Any) -> str:
    return "" if figure is None else f"{figure:g}" if isinstance(figure, float) else str(figure)

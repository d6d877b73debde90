"""ingest: candles from files into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options
from candlewick.errors import InputError

if TYPE_CHECKING:
    from candlewick.sources.source import Reading
    from candlewick.sources.summary import IngestSummary


def ingest(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES",
            help="CSV (also .gz, .zip), NDJSON, Parquet or Arrow files, folders, or patterns such as 'minute/*.csv'.",
        ),
    ],
    calendar: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Trading calendar of the symbols, always needed: an exchange such as XNYS, 24/7, or own hours such as "
            "09:15-15:30@Asia/Kolkata.",
        ),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(metavar="NAME", help="Symbol of the candles, for files without a column that says it.")
    ] = None,
    timeframe: Annotated[str, typer.Option(metavar="TF", help="Length of a candle in the files.")] = "1m",
    timezone: options.Timezone = None,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Check candles and put them into the store; reading a file again changes nothing.

    Columns are found by their usual names in any order. A time is a candle's open: ISO with an offset, epoch seconds
    to nanoseconds, or local time with --timezone; with 1d and coarser also a date. Rows that fail the check go to
    quarantine with a reason (`candlewick quarantine` shows them) and the rest is stored.

    Example: candlewick ingest minute/*.csv --calendar XNYS
    """
    from candlewick.cli.connection import is_there, open_or_reach, store_url
    from candlewick.cli.progress import ingest_progress, step_progress
    from candlewick.client import Client
    from candlewick.sessions.names import LIKELY
    from candlewick.sources.source import Reading

    if calendar is None:
        expected = f"there is no default; give one of the likes of {', '.join(LIKELY)}"
        raise InputError("calendar", None, expected, "is missing")
    reading = Reading.of(calendar, timeframe, symbol, timezone)
    if not is_there(store_url(store)):  # what cannot be used must not leave a new, empty store behind
        _look_at(files, reading)
    with open_or_reach(store, make=True) as place:
        if isinstance(place, Client):
            from candlewick.cli.reached import ingest_through

            _look_at(files, reading)  # nothing is sent when one of them cannot be used
            with step_progress("Sending") as step:
                summary = ingest_through(place, files, reading, timezone, step)
        else:
            from candlewick.sources.ingest import ingest as ingest_files

            with ingest_progress("Reading") as progress:
                summary = ingest_files(
                    place,
                    files,
                    calendar=reading.calendar,
                    timeframe=reading.timeframe,
                    symbol=reading.symbol,
                    timezone=timezone,
                    progress=progress,
                )
    _report(summary, json)


def _look_at(files: list[str], reading: Reading) -> None:
    """Raise what `ingest` raises for a file that cannot be used."""
    from candlewick.sources.files import sources

    for one in sources(files):
        one.prepare(reading)


def _report(summary: IngestSummary, json: bool) -> None:
    from candlewick.cli.output import note, print_json

    if json:
        print_json(summary.as_dict())
    else:
        typer.echo("\n".join(summary_lines(summary.as_dict())))
    for warning in summary.warnings:
        note(f"Warning: {warning}")


def summary_lines(summary: dict[str, Any]) -> list[str]:
    """What an ingest did, for a reader: where every row went, how long it took, and what to look at."""
    rows, seconds = summary["rows"], summary["seconds"]
    rate = f" ({rows / seconds:,.0f} rows/s)" if seconds > 0 else ""
    parts = [f"{summary[name]:,} {name}" for name in ("inserted", "updated", "unchanged", "duplicates", "quarantined")]
    names = summary["symbols"]
    shown = ", ".join(map(str, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    lines = [
        f"{rows:,} row{'' if rows == 1 else 's'} in {seconds:.2f} s{rate}: {', '.join(parts)}",
        f"{len(names)} symbol{'' if len(names) == 1 else 's'}: {shown}" if names else "no symbol",
    ]
    if summary["off_session"]:
        lines.append(f"{summary['off_session']:,} stored rows lie outside of sessions: bars leave them out")
    if summary["quarantined"]:
        lines.append("see what was refused, and why: candlewick quarantine")
    return lines

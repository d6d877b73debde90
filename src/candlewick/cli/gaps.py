"""gaps: what is missing, late or suspicious, whether symbols are ready, and files that fill gaps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from candlewick.completeness.asked import Asked
    from candlewick.completeness.fill import Filling
    from candlewick.completeness.finding import Finding
    from candlewick.completeness.scan import Scan
    from candlewick.completeness.stored import Stored

FOUND = 1
NAMES = 5
"""Symbols of one finding that are named to a reader; --json has all."""


def gaps(
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYMBOL]...", help="Only these symbols. Default: all that are stored."),
    ] = None,
    timeframe: Annotated[str, typer.Option(metavar="TF", help="Stored timeframe to look through.")] = "1m",
    start: Annotated[
        str | None, typer.Option("--from", "--start", metavar="TIME", help="First time to judge: as candles --start.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", "--end", metavar="TIME", help="First time to leave out. Default: now.")
    ] = None,
    timezone: options.Timezone = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Findings to tell, the newest first.")] = 100,
    ready: Annotated[
        bool, typer.Option("--ready", help="One line for each symbol instead: ready for the next open, or why not.")
    ] = False,
    fix: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE|DIR", help="Fill gaps that are found with rows of this file or folder; repeatable."),
    ] = None,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Judge what is stored against the calendar: missing, late or suspicious minutes, sessions and symbols.

    Each symbol is judged by what is usual for itself, so that a thin one is not told for minutes without a trade; what
    symbols of one calendar lack together is told once. Exit code 1 when something is found, or not ready.

    Example: candlewick gaps AAPL MSFT --from 2024-01-02
    """
    from candlewick.cli.connection import open_or_reach
    from candlewick.cli.output import note
    from candlewick.cli.reached_store import UNSEEN, ReachedStore
    from candlewick.client import Client
    from candlewick.clock import SystemClock
    from candlewick.errors import InputError
    from candlewick.timeframe import Timeframe

    length = Timeframe.parse(timeframe)
    names = tuple(dict.fromkeys(symbols or ()))
    if ready and (fix or start is not None or end is not None):
        raise InputError("ready", True, "give it without --fix, --from and --to", "looks at what is stored by now")
    now = SystemClock().wall() // 10**6 * 10**6
    with open_or_reach(store) as place:
        stored: Stored = place if not isinstance(place, Client) else ReachedStore(place)
        if isinstance(place, Client):
            note(UNSEEN)
        if ready:
            found = _ready(stored, names, length, now, json)
        else:
            asked = _asked(stored, names, length, (start, end, timezone), now)
            found = _gaps(stored, asked, limit, fix or (), timezone, json)
    if found:
        raise typer.Exit(FOUND)


def _asked(
    stored: Stored,
    names: tuple[str, ...],
    timeframe: Any,
    edges: tuple[str | None, str | None, str | None],
    now: int,
) -> Asked:
    """The question, with its bounds. A date is the open of that session, so the symbols must share a calendar."""
    from candlewick.cli.ranges import parse_range
    from candlewick.completeness.asked import Asked
    from candlewick.errors import InputError

    if edges[0] is None and edges[1] is None:
        return Asked(names, timeframe, None, None, now)
    series = [one for one in stored.series() if one.timeframe == timeframe and (not names or one.symbol in names)]
    calendars = sorted({one.calendar for one in series})
    ranges = {parse_range(name, *edges) for name in calendars or ["24/7"]}
    if len(ranges) > 1:
        expected = f"give times with an offset, or symbols of one calendar: these have {', '.join(calendars)}"
        raise InputError("from" if edges[0] is not None else "to", edges[0] or edges[1], expected, "is ambiguous")
    ((low, high),) = ranges
    return Asked(names, timeframe, low, high, now)


def _gaps(
    stored: Stored,
    asked: Asked,
    limit: int,
    fix: Sequence[str],
    timezone: str | None,
    json: bool,
) -> bool:
    from candlewick.cli.output import print_json
    from candlewick.cli.progress import step_progress
    from candlewick.completeness.scan import scan

    filling = None
    with step_progress("Looking through") as step:
        look = partial(scan, stored, asked, limit=limit, step=step)
        if fix:
            from candlewick.completeness import fill

            symbol = asked.symbols[0] if len(asked.symbols) == 1 else None
            filling, seen = fill.fix(stored, look, list(fix), symbol=symbol, timezone=timezone)
        else:
            seen = look()
    if json:
        print_json(_document(seen, filling))
    else:
        _print(seen, filling)
    return bool(seen.found)


def _ready(stored: Stored, names: tuple[str, ...], timeframe: Any, now: int, json: bool) -> bool:
    from candlewick.cli.output import note, print_json
    from candlewick.cli.progress import step_progress
    from candlewick.completeness.readiness import readiness

    with step_progress("Looking through") as step:
        found = readiness(stored, timeframe, now, names, step=step)
    if json:
        print_json([one.as_dict() for one in found])
    else:
        for one in found:
            typer.echo(one.line())
        if not found:
            note(f"No {timeframe} series is stored.")
    return not all(one.ready for one in found)


def _document(seen: Scan, filling: Filling | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "found": seen.found,
        "looked_at": seen.looked_at,
        "findings": [one.as_dict() for one in seen.findings],
        "ended": [one.as_dict() for one in seen.ended],
    }
    return document if filling is None else {"filling": filling.as_dict()} | document


def _print(seen: Scan, filling: Filling | None) -> None:
    from candlewick.cli.output import note
    from candlewick.cli.table import print_table

    if filling is not None:
        for one in filling.filled:
            about = one.as_dict()
            typer.echo(f"{one.file}: {one.count:,} candles of {one.symbol}, {about['first']} to {about['last']}")
        typer.echo(f"Filled {filling.count:,} of {filling.vacant:,} empty places.")
        if filling.unusable or filling.conflicts:
            note(f"Not used: {filling.unusable:,} rows that fail the check, {filling.conflicts:,} that conflict.")
    if seen.findings:
        header = ("kind", "symbol", "from", "to", "count", "sure", "evidence")
        print_table(header, [_row(one) for one in seen.findings], numbers=(4,))
    counted = f"{seen.found:,} finding{'' if seen.found == 1 else 's'} in {seen.looked_at:,} series"
    more = seen.found - len(seen.findings)
    typer.echo(counted + (f"; the newest {len(seen.findings):,} are shown, --limit gives more" if more else ""))
    if seen.ended:
        named = ", ".join(one.symbol for one in seen.ended[:NAMES])
        rest = f" and {len(seen.ended) - NAMES:,} more" if len(seen.ended) > NAMES else ""
        note(f"Taken to have ended, nothing newer is expected: {named}{rest}. With --to it is.")


def _row(one: Finding) -> list[str]:
    about = one.as_dict()
    names = ", ".join(one.about[:NAMES]) + (f" and {len(one.about) - NAMES:,} more" if len(one.about) > NAMES else "")
    evidence = ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in about["evidence"].items())
    return [about["kind"], names, about["from"], about["to"], one.amount(), about["sure"], evidence]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)

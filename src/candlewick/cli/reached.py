"""Reached: what the read and ingest commands do through the server that owns the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from candlewick.sources.summary import IngestSummary
from candlewick.timeframe import Timeframe

if TYPE_CHECKING:
    from candlewick.cli.output import Columns
    from candlewick.client import Client
    from candlewick.sources.source import Reading

COUNTS = ("rows", "inserted", "updated", "unchanged", "duplicates", "quarantined", "off_session")


def candles_through(
    client: Client,
    symbol: str,
    timeframe: Timeframe,
    source: Timeframe | None,
    edges: tuple[str | None, str | None, str | None],
    **asked: Any,
) -> tuple[Columns, Timeframe]:
    """The columns of the server's answer and the stored timeframe it is made of. ``edges``: start, end and timezone as
    the command line takes them; what a date means depends on the calendar of the series."""
    from candlewick.cli.ranges import parse_range
    from candlewick.store.repository import iso

    start, end, timezone = edges
    low = high = None
    calendar = None if (start, end, timezone) == (None, None, None) else calendar_of(client, symbol, timeframe, source)
    if calendar is not None:  # else the server says what is not there
        low, high = parse_range(calendar, start, end, timezone)
    answer = client.candles(
        symbol,
        str(timeframe),
        source=None if source is None else str(source),
        start=None if low is None else iso(low),
        end=None if high is None else iso(high),
        limit=10**12 - 1,  # what is written to a file or a pipe has no limit of its own
        **asked,
    )
    return answer.columns, answer.source


def calendar_of(client: Client, symbol: str, timeframe: Timeframe, source: Timeframe | None) -> str | None:
    """The calendar of the series that serves a timeframe; None where nothing does."""
    stored = {one.timeframe: one.calendar for one in client.symbols() if one.symbol == symbol}
    if source is not None or timeframe in stored:
        return stored.get(timeframe if source is None else source)
    fitting = [length for length in stored if length.divides(timeframe)]
    return stored[min(fitting)] if fitting else None


def ingest_through(
    client: Client,
    files: Sequence[str],
    reading: Reading,
    timezone: str | None,
    step: Callable[[str], None],
) -> IngestSummary:
    """Send the files one after the other; what became of their rows in all."""
    from candlewick.sources.files import paths_of

    paths = dict.fromkeys(path.resolve() for given in files for path in paths_of(given))
    summaries = []
    for path in paths:
        step(path.name)
        summaries.append(
            client.ingest(
                path,
                calendar=reading.calendar.name,
                timeframe=str(reading.timeframe),
                symbol=reading.symbol,
                timezone=timezone,
            )
        )
    return combined(summaries)


def combined(summaries: Iterable[IngestSummary]) -> IngestSummary:
    """The summaries of several files as one."""
    given = list(summaries)
    return IngestSummary(
        **{name: sum(getattr(one, name) for one in given) for name in COUNTS},
        seconds=sum(one.seconds for one in given),
        symbols=sorted({name for one in given for name in one.symbols}),
        warnings=[warning for one in given for warning in one.warnings],
    )

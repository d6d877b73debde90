"""candles: bars of one symbol with their indicators."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options
from candlewick.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from candlewick.cli.output import Columns
    from candlewick.engine.query import Answer
    from candlewick.store.repository import CandleRepository
    from candlewick.timeframe import Timeframe

COLUMNS = ("time", "open", "high", "low", "close", "volume", "n", "final")
"""What every answer begins with; the indicators follow in the order asked for."""

ENGINES = ("classic", "optimized")


class Format(StrEnum):
    """How bars are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class ZeroVolume(StrEnum):
    """What becomes of flat candles without volume."""

    KEEP = "keep"
    DROP = "drop"


class Hours(StrEnum):
    """Which candles are shown: those inside sessions, as bars, or those outside."""

    REGULAR = "regular"
    EXTENDED = "extended"


def candles(
    symbol: options.Symbol,
    timeframe: Annotated[str, typer.Option(metavar="TF", help="Length of a bar: 1m, 5m, 90m, 1h, 4h, 1d, 1w or 1mo.")],
    start: options.Start = None,
    end: options.End = None,
    timezone: options.Timezone = None,
    as_of: options.AsOf = None,
    adjusted: options.Adjusted = False,
    indicators: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Indicators to add: a preset such as desk, or a list such as 'sma(9),bollinger(20,2)'. "
            "`candlewick indicators` lists them.",
        ),
    ] = None,
    zero_volume: Annotated[
        ZeroVolume, typer.Option(help="Keep or drop flat candles without volume, which a vendor invented.")
    ] = ZeroVolume.KEEP,
    hours: Annotated[
        Hours, typer.Option(help="regular: bars of the sessions. extended: the stored candles outside of sessions.")
    ] = Hours.REGULAR,
    source: Annotated[
        str | None,
        typer.Option(metavar="TF", help="Stored timeframe to build from. Default: its own, else the finest that fits."),
    ] = None,
    final_only: Annotated[bool, typer.Option("--final-only", help="Leave out the bar that can still change.")] = False,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Engine to use: {' or '.join(ENGINES)}. Default: optimized; through a server, what its rollout says.",
        ),
    ] = None,
    format: Annotated[  # noqa: A002 - the option's standard name
        Format | None, typer.Option(help="Form of the answer. Default: what --output ends in, else table.")
    ] = None,
    json: options.Json = False,
    output: options.Output = None,
    store: options.Store = None,
) -> None:
    """Show bars of a stored symbol, with indicators.

    Bars are cut from the sessions of the symbol's calendar; indicators run over the whole stored series, so a value
    does not depend on --start. A time is a bar's open. Undefined is empty (null in JSON).

    Example: candlewick candles AAPL --timeframe 5m --indicators desk --start 2024-01-02 --format csv
    """
    from candlewick.cli.connection import open_or_reach
    from candlewick.cli.ranges import parse_as_of, parse_range
    from candlewick.client import Client
    from candlewick.timeframe import Timeframe

    if engine not in (None, *ENGINES):
        raise UnknownNameError("engine", engine, ENGINES)
    chosen = _format(format, json, output)
    length = Timeframe.parse(timeframe)
    given = None if source is None else Timeframe.parse(source, "source")
    moment = parse_as_of(as_of, timezone)
    with open_or_reach(store) as place:
        if isinstance(place, Client):
            from candlewick.cli.reached import candles_through

            if hours is Hours.EXTENDED:
                expected = f"stop the server at {place.address} first, or leave it out"
                raise InputError("hours", str(hours), expected, "cannot be had through a server")
            asked: dict[str, Any] = {"indicators": indicators, "zero_volume": str(zero_volume)}
            asked |= {"engine": engine or "auto", "as_of": moment, "adjusted": adjusted}
            columns, made_of = candles_through(
                place, symbol, length, given, (start, end, timezone), final_only=final_only, **asked
            )
        else:
            from candlewick.engine.query import source_of
            from candlewick.store.adjusted import adjusted_view
            from candlewick.store.then import known_at

            place = known_at(place, moment)
            if adjusted:
                place = adjusted_view(place)
            made_of = source_of(place, symbol, length, given)
            low, high = parse_range(place.find(symbol, made_of).calendar, start, end, timezone)
            if hours is Hours.EXTENDED:
                from candlewick.cli.outside import outside_columns

                _check_extended(length, made_of, indicators)
                found = place.read(symbol, length, low, high)
                columns = outside_columns(found, drop_flat=zero_volume is ZeroVolume.DROP)
            elif engine == "classic":
                columns = _classic(
                    place,
                    symbol,
                    length,
                    indicators,
                    start=low,
                    end=high,
                    source=given,
                    zero_volume=str(zero_volume),
                    final_only=final_only,
                )
            else:
                from candlewick.engine.query import query

                answer = query(
                    place,
                    symbol,
                    length,
                    indicators,
                    start=low,
                    end=high,
                    source=given,
                    zero_volume=str(zero_volume),
                    final_only=final_only,
                )
                columns = answer_columns(answer)
    about = {"symbol": symbol, "timeframe": str(length), "source": str(made_of)}
    _write(chosen, about, columns, output)


def answer_columns(answer: Answer) -> dict[str, Any]:
    """The columns of an answer by their public names: those of the bars, then the indicators in the order asked for."""
    return {name: getattr(answer.bars, name) for name in COLUMNS} | dict(answer.indicators or {})


def _classic(
    store: CandleRepository, symbol: str, timeframe: Timeframe, indicators: str | None, **asked: Any
) -> Columns:
    from candlewick.service.classic import ClassicService
    from candlewick.service.request import Request

    # What is written to a file or a pipe has no limit of its own.
    request = Request.of(symbol, timeframe, indicators, limit=sys.maxsize, **asked)
    with ClassicService(store) as service:
        return service.candles(request).columns


def _format(asked: Format | None, json: bool, output: str | None) -> str:
    from candlewick.cli.destination import choose_format

    if json and asked not in (None, Format.JSON):
        raise InputError("format", str(asked), "leave out --json or --format", "contradicts --json")
    wanted = "json" if json else None if asked is None else str(asked)
    chosen = "table" if wanted == "table" else choose_format(wanted, output, ("csv", "json", "parquet"), "table")
    if chosen == "table" and output is not None:
        raise InputError("format", chosen, "give --format csv, json or parquet with --output", "is for reading")
    return chosen


def _check_extended(timeframe: Timeframe, source: Timeframe, indicators: str | None) -> None:
    if timeframe != source:
        expected = f"give --timeframe {source}, the stored one: outside of sessions there is no open to cut bars from"
        raise InputError("timeframe", str(timeframe), expected, "cannot be shown with --hours extended")
    if indicators is not None:
        expected = "leave one of them out: indicators run over the bars of sessions"
        raise InputError("indicators", indicators, expected, "cannot be had with --hours extended")


def _write(chosen: str, about: dict[str, str], columns: Columns, output: str | None) -> None:
    from candlewick.cli.destination import destination
    from candlewick.cli.output import note, write_csv, write_json, write_parquet
    from candlewick.cli.table import print_bars

    title = f"{about['symbol']} {about['timeframe']} (made of {about['source']})"
    if chosen == "table":
        print_bars(title, columns)
        return
    with destination(output) as to:
        if chosen == "csv":
            write_csv(columns, to)
        elif chosen == "json":
            write_json(about, columns, to)
        else:
            write_parquet(about, columns, to)
    if output is not None or chosen == "csv":
        note(f"{title}: {len(columns['time']):,} bars{'' if output is None else f' in {output}'}")

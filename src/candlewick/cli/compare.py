"""compare: another platform's export beside ours, and why rows differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options
from candlewick.errors import InputError, UnknownSeriesError

if TYPE_CHECKING:
    from candlewick.candles import Candles
    from candlewick.client import Client
    from candlewick.compare.comparison import Cause, Comparison
    from candlewick.store.repository import CandleRepository
    from candlewick.timeframe import Timeframe

DIFFERENT = 1
"""Exit code when something differs, explained or not."""

BARS = 5
"""Bars and values of a cause that are listed."""


def compare(
    symbol: options.Symbol,
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REFERENCE", help="CSV that another platform exported, such as TradingView's chart data."
        ),
    ],
    timeframe: Annotated[str, typer.Option(metavar="TF", help="Length of the reference's bars: 1m, 5m, 1h, 1d.")],
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Which of their columns is which of ours, where title and numbers do not tell: "
            "'Plot=ema_9,Plot#2=vwap'.",
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(metavar="SHARE", help="Relative difference up to which values are equal.")
    ] = 1e-9,
    rows: Annotated[int, typer.Option(min=0, metavar="COUNT", help="Differing rows to show.")] = 10,
    start: options.Start = None,
    end: options.End = None,
    timezone: options.Timezone = None,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Compare another platform's export with our bars and indicators, and say for each differing row why it differs.

    Columns are matched by title, then by which of ours fits the numbers. A cause is named only when applying it makes
    rows agree within what they are rounded to. Exit code 0: nothing differs, 1: something does, 2: bad input.

    Example: candlewick compare AAPL tradingview.csv --timeframe 5m
    """
    from candlewick.cli.connection import open_or_reach
    from candlewick.cli.output import print_json
    from candlewick.cli.ranges import parse_range
    from candlewick.client import Client
    from candlewick.compare import compare as compare_with
    from candlewick.timeframe import Timeframe

    length = Timeframe.parse(timeframe)
    given = _pairs(columns)
    with open_or_reach(store) as place:
        candles = _through(place, symbol, length) if isinstance(place, Client) else _stored(place, symbol, length)
    low, high = parse_range(candles.calendar.name, start, end, timezone)
    found = compare_with(
        candles,
        reference,
        timeframe=length,
        columns=given,
        tolerance=tolerance,
        timezone=timezone,
        start=low,
        end=high,
    )
    if json:
        print_json(found.as_dict())
    else:
        _print(found, rows)
    if not found.same:
        raise typer.Exit(DIFFERENT)


def _pairs(text: str | None) -> dict[str, str]:
    """``theirs=ours`` by commas; a title may have an equals sign itself."""
    pairs: dict[str, str] = {}
    for one in [] if text is None else text.split(","):
        theirs, sign, ours = one.rpartition("=")
        if not (sign and theirs.strip() and ours.strip()):
            raise InputError("columns", text, "write theirs=ours, separated by commas", "cannot be read")
        if theirs.strip() in pairs:
            raise InputError("columns", theirs.strip(), "say once what each column is", "is given twice")
        pairs[theirs.strip()] = ours.strip()
    return pairs


def _stored(store: CandleRepository, symbol: str, timeframe: Timeframe) -> Candles:
    from candlewick.engine.query import source_of

    return store.read(symbol, source_of(store, symbol, timeframe))


def _through(client: Client, symbol: str, timeframe: Timeframe) -> Candles:
    """The candles that serve a timeframe, from the server that owns the store: those inside sessions."""
    from candlewick.candles import COLUMNS, Candles

    stored = {one.timeframe: one for one in client.symbols() if one.symbol == symbol}
    if not stored:
        raise UnknownSeriesError("symbol", symbol, [one.symbol for one in client.symbols()])
    fitting = [length for length in stored if length.divides(timeframe)]
    if timeframe not in stored and not fitting:
        names = ", ".join(str(length) for length in sorted(stored))
        expected = f"stored of {symbol} are: {names}"
        raise InputError("timeframe", str(timeframe), expected, "cannot be made of these")
    source = timeframe if timeframe in stored else min(fitting)
    answer = client.candles(symbol, source, source=source, engine="auto", limit=10**12 - 1)
    values: dict[str, Any] = {name: answer[name] for name in COLUMNS}
    return Candles(symbol=symbol, timeframe=source, calendar=stored[source].calendar, **values)


def _print(found: Comparison, rows: int) -> None:
    from candlewick.cli.table import print_table

    typer.echo(
        f"{found.symbol} {found.timeframe} beside {found.reference}: {found.rows:,} rows compared, "
        f"{found.equal:,} equal, {len(found.differing):,} differ, {len(found.unexplained):,} of them unexplained"
    )
    names = [one.ours if one.theirs == one.ours else f"{one.theirs} is {one.ours}" for one in found.matched]
    typer.echo(f"columns: {', '.join(names)}")
    if found.unmatched:
        typer.echo(f"not matched: {', '.join(title or '(no title)' for title in found.unmatched)}")
    if found.beyond:
        typer.echo(f"outside our series: {found.beyond:,} rows")
    for line, reason in found.refused[:BARS]:
        typer.echo(f"line {line} left out: {reason}")
    if len(found.refused) > BARS:
        typer.echo(f"and {len(found.refused) - BARS:,} more lines left out")
    if found.same:
        typer.echo("nothing differs")
        return
    if found.causes:
        typer.echo("")
        header = ("cause", "rows", "largest difference", "explained to", "why")
        lines = [(one.name, f"{one.rows:,}", _size(one.before), _size(one.after), _why(one)) for one in found.causes]
        print_table(header, lines, numbers=(1, 2, 3))
        for cause in found.causes:
            _print_evidence(cause)
    _print_rows(found, rows)


def _why(cause: Cause) -> str:
    return cause.says if not cause.also else f"{cause.says} (or: {', '.join(cause.also)})"


def _print_evidence(cause: Cause) -> None:
    bars = [one for one in cause.evidence if "bar" in one]
    for one in bars[:BARS]:
        pairs = [f"{name} {value:.10g}" for name, value in one["theirs"].items()]
        changed = [
            f"{name} {one['ours'][name]:.10g} here, {value:.10g} there" if name in one["ours"] else pair
            for (name, value), pair in zip(one["theirs"].items(), pairs, strict=True)
        ]
        told = ", ".join(filter(None, [", ".join(changed), one["detail"]]))
        typer.echo(f"{cause.name}: {one['bar']}: {told}")
    if len(bars) > BARS:
        typer.echo(f"{cause.name}: and {len(bars) - BARS:,} more bars")


def _print_rows(found: Comparison, rows: int) -> None:
    from candlewick.cli.table import print_table

    shown = [*found.unexplained, *(row for row in found.differing if row.explained)][:rows]
    lines = []
    for row in shown:
        causes = ", ".join(row.causes) if row.explained else "unexplained"
        worst = [figure for figure in row.figures if not figure.explained] or list(row.figures)
        for figure in worst[: 3 if not row.explained else 1]:
            would = "" if figure.close is None else f"a close of {figure.close:.10g} would explain it"
            lines.append((row.time, causes, figure.column, _size(figure.theirs), _size(figure.ours), would))
        if not worst:
            lines.append((row.time, causes, "", "", "", row.detail))
    if not lines:
        return
    typer.echo("")
    print_table(("time", "because of", "column", "theirs", "ours", "note"), lines, numbers=(3, 4))
    if len(found.differing) > len(shown):
        typer.echo(
            f"{len(shown):,} of {len(found.differing):,} differing rows, unexplained ones first; --rows shows more"
        )


def _size(value: float | None) -> str:
    return "" if value is None else f"{value:.8g}"

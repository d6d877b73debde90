"""follow: candles into the store as they come: from files that grow, from a replay, from a simulated exchange."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options
from candlewick.cli.totals import Totals
from candlewick.errors import InputError

if TYPE_CHECKING:
    from candlewick.candles import Candles
    from candlewick.client import Client
    from candlewick.sources.follow import Piece
    from candlewick.sources.replay import Step
    from candlewick.sources.summary import IngestSummary
    from candlewick.store.repository import CandleRepository

Feed = Callable[[Any], "IngestSummary"]
"""Takes a file or a table of candles in."""

MOST_SYMBOLS = 5000
EVERY_PART = 5.0
"""Seconds between two states of a candle that forms, about."""


def follow(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATHS",
            help="Text files that grow (.csv, .tsv, .txt, .ndjson), or folders into which files come.",
        ),
    ] = None,
    calendar: Annotated[
        str | None, typer.Option(metavar="NAME", help="Trading calendar of the symbols, such as XNYS or 24/7.")
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(metavar="NAME", help="Symbol of the candles, for files without a column that says it.")
    ] = None,
    timeframe: Annotated[
        str | None, typer.Option(metavar="TF", help="Length of a candle. Default: 1m; of a replay the finest stored.")
    ] = None,
    timezone: options.Timezone = None,
    every: Annotated[float, typer.Option(metavar="SECONDS", help="How often the files are looked at.")] = 1.0,
    replay: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="Instead of files: tell stored candles of a symbol again.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First session of a replay or of the simulation.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="First session to leave out.")] = None,
    named: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="Symbol under which a replay is stored. Default: SYMBOL.replay."),
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Move the times of a replay, so that it begins now (calendar: 24/7).")
    ] = False,
    simulated: Annotated[
        int | None, typer.Option(metavar="N", help="Instead of files: a simulated exchange with N symbols.")
    ] = None,
    sessions: Annotated[int, typer.Option(metavar="N", help="Sessions that the simulated exchange is open.")] = 1,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the simulated exchange: the same, the same prices.")] = 1,
    speed: Annotated[
        float, typer.Option(metavar="X", help="How many times faster than the market; nights take five minutes of it.")
    ] = 1.0,
    stop_after: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="End after so long. Default: with ctrl-c, or at the end.")
    ] = None,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Take candles in as they come, until ctrl-c or the end: closed ones, and those that still form.

    A later line for the same candle updates it. Whoever follows the symbols over the server's stream sees each change;
    the store is reached through the server that owns it, when there is one.

    Example: candlewick follow feed.csv --symbol SPY --calendar XNYS
    """
    chosen = [name for name, given in (("PATHS", paths), ("--replay", replay), ("--simulated", simulated)) if given]
    if len(chosen) != 1:
        raise InputError("paths", chosen or None, "give either PATHS, --replay SYMBOL or --simulated N")
    if every <= 0:
        raise InputError("every", every, "give seconds above 0")
    from candlewick.cli.connection import open_or_reach
    from candlewick.sources.replay import check_speed

    check_speed(speed)
    totals = Totals()
    with open_or_reach(store, make=replay is None) as place, _until_stopped(stop_after) as stopped:
        if paths:
            feed = _feed(place, _needed(calendar), timeframe or "1m", symbol, timezone)
            with ExitStack() as opened:
                looks = [_looker(Path(path), feed, totals, opened) for path in paths]
                _note(f"Following {', '.join(paths)}; ctrl-c ends it")
                _follow_files(looks, every, stopped)
        else:
            if replay is not None:
                told, series = _replayed(place, replay, start, end, timeframe, named, now=now, calendar=calendar)
            else:
                told, series = _simulated(simulated or 0, _needed(calendar), sessions, seed, start)
            _note(f"Telling {series} at {speed:g} times the market's pace; ctrl-c ends it")
            _tell(told(_parts(speed)), place, speed, stopped, totals)
    totals.report(as_json=json)


def _note(text: str) -> None:
    """A line for the reader, at once: what comes after it may take long."""
    typer.echo(text, err=True)


def _needed(calendar: str | None) -> str:
    if calendar is None:
        raise InputError("calendar", None, "there is no default; give one such as XNYS or 24/7", "is missing")
    return calendar


def _feed(
    place: CandleRepository | Client, calendar: str, timeframe: str, symbol: str | None, timezone: str | None
) -> Feed:
    from candlewick.client import Client
    from candlewick.sessions.calendar import find_calendar
    from candlewick.sources.ingest import ingest
    from candlewick.timeframe import Timeframe

    sessions, length = find_calendar(calendar), Timeframe.parse(timeframe)
    about: dict[str, Any] = {"symbol": symbol, "timezone": timezone, "timeframe": str(length)}
    if isinstance(place, Client):
        return lambda given: place.ingest(given, calendar=sessions.name, **about)
    return lambda given: ingest(
        place, given, calendar=sessions, name=given.name if isinstance(given, Path) else None, **about
    )


def _looker(path: Path, feed: Feed, totals: Totals, opened: ExitStack) -> Callable[[], None]:
    """What takes in, at each call, what is new at a path."""
    from candlewick.sources.follow import GrowingFile, Settled, check_followed, grows

    check_followed(path)
    if grows(path) and not path.is_dir():
        growing = GrowingFile(path)
        opened.callback(growing.close)

        def look() -> None:
            for piece in growing.pieces():
                _take(piece, feed, totals)
    else:
        settled = Settled(path)

        def look() -> None:
            for file in settled.ready():
                totals.add(feed(file))

    return look


def _take(piece: Piece, feed: Feed, totals: Totals) -> None:
    with tempfile.TemporaryDirectory(prefix="candlewick-follow-") as folder:
        file = Path(folder) / piece.name
        file.write_bytes(piece.content)
        totals.add(feed(file), piece.superseded)


def _follow_files(looks: list[Callable[[], None]], every: float, stopped: threading.Event) -> None:
    while not stopped.is_set():
        for look in looks:
            look()
        stopped.wait(every)
    for look in looks:  # what came since then
        look()


def _tell(
    told: Iterator[Step], place: CandleRepository | Client, speed: float, stopped: threading.Event, totals: Totals
) -> None:
    from candlewick.sources.replay import pace, table_of

    feeds: dict[tuple[str, str], Feed] = {}
    for step in pace(told, speed, stopped.wait):
        if stopped.is_set():
            return
        first = step.candles[0]
        about = first.calendar.name, str(first.timeframe)
        if about not in feeds:
            feeds[about] = _feed(place, *about, None, None)
        totals.add(feeds[about](table_of(step)))


def _parts(speed: float) -> int:
    """How often a candle of a minute is told, so that it is told every few seconds."""
    return max(1, min(12, int(60 / speed / EVERY_PART)))


Told = Callable[[int], "Iterator[Step]"]
"""The steps, with so many states of each candle."""


def _replayed(
    place: CandleRepository | Client,
    symbol: str,
    start: str | None,
    end: str | None,
    timeframe: str | None,
    named: str | None,
    *,
    now: bool,
    calendar: str | None,
) -> tuple[Told, str]:
    from candlewick.sources.replay import moved, renamed, steps
    from candlewick.timeframe import MINUTE

    candles = _stored(place, symbol, start, end, timeframe)
    if not len(candles):
        raise InputError("from", start, f"give sessions of which candles of {symbol} are stored", "has no candles")
    name = named or f"{symbol}.replay"
    if name == symbol:
        raise InputError("as", name, "give another symbol: this one has these candles already", "is replayed")
    again = renamed(candles, name)
    if now:
        again = moved(again, time.time_ns() // 1000 // MINUTE * MINUTE, calendar or "24/7")
    return lambda parts: steps([again], parts), f"{len(again):,} candles of {symbol} as {name}"


def _stored(
    place: CandleRepository | Client, symbol: str, start: str | None, end: str | None, timeframe: str | None
) -> Candles:
    from candlewick.candles import VALUES, Candles
    from candlewick.cli.ranges import parse_range
    from candlewick.client import Client
    from candlewick.errors import UnknownSeriesError
    from candlewick.timeframe import Timeframe

    length = None if timeframe is None else Timeframe.parse(timeframe)
    stored = [one for one in (place.symbols() if isinstance(place, Client) else place.series()) if one.symbol == symbol]
    series = next((one for one in stored if length in (None, one.timeframe)), None)
    if series is None:
        known = [one.symbol for one in (place.symbols() if isinstance(place, Client) else place.series())]
        raise UnknownSeriesError("symbol" if not stored else "timeframe", symbol if not stored else str(length), known)
    low, high = parse_range(series.calendar, start, end, None)
    if not isinstance(place, Client):
        return place.read(symbol, series.timeframe, low, high)
    answer = place.candles(symbol, series.timeframe, start=low, end=high, source=series.timeframe, limit=10**9)
    columns = {name: answer[name] for name in ("time", *VALUES)}
    return Candles(symbol=symbol, timeframe=series.timeframe, calendar=series.calendar, **columns)


def _simulated(symbols: int, calendar: str, sessions: int, seed: int, start: str | None) -> tuple[Told, str]:
    from candlewick.sources.replay import steps
    from candlewick.sources.simulated import simulate
    from candlewick.timeframe import MINUTE

    if not 1 <= symbols <= MOST_SYMBOLS:
        raise InputError("simulated", symbols, f"give 1 to {MOST_SYMBOLS} symbols")
    names = [f"SIM{k:04d}" for k in range(1, symbols + 1)]
    today = time.strftime("%Y-%m-%d", time.gmtime())
    made = list(simulate(names, calendar, sessions, seed, start or today))
    if start is None:
        made = [left for one in made if len(left := one.between(time.time_ns() // 1000 // MINUTE * MINUTE))]
        if not made:
            raise InputError("from", None, "give --from DATE: the session of today is over", "is missing")
    return lambda parts: steps(made, parts), f"{symbols:,} simulated symbol{'' if symbols == 1 else 's'}"


@contextmanager
def _until_stopped(seconds: float | None) -> Iterator[threading.Event]:
    """An event that ctrl-c, SIGTERM or the time sets; what is under way is finished."""
    stopped = threading.Event()
    with ExitStack() as after:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before = signal.signal(number, lambda *_: stopped.set())
                after.callback(signal.signal, number, before)
        if seconds is not None:
            timer = threading.Timer(seconds, stopped.set)
            timer.daemon = True
            timer.start()
            after.callback(timer.cancel)
        yield stopped

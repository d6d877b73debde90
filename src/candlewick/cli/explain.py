"""explain: where one value comes from, and what it is exactly."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options
from candlewick.cli.candles import ENGINES, ZeroVolume
from candlewick.errors import UnknownNameError

if TYPE_CHECKING:
    from candlewick.store.repository import CandleRepository

BEYOND = 1
"""Exit code for a value outside its bound."""
WIDTH = 100
"""Characters of a line of text, beside its name."""
BARS = 10
"""Bars of the window that the table shows, the last ones; --json has more."""


def explain(
    symbol: options.Symbol,
    timeframe: Annotated[
        str, typer.Option(metavar="TF", help="Length of the bar: 1m, 5m, 90m, 1h, 4h, 1d, 1w or 1mo.")
    ],
    at: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Open of the bar: ISO with an offset or Z, or a date, which is that session's open."
        ),
    ],
    column: Annotated[
        str,
        typer.Option(metavar="NAME", help="Column to explain, such as close, sma_9 or bollinger_20_2_upper."),
    ],
    timezone: options.Timezone = None,
    as_of: options.AsOf = None,
    adjusted: options.Adjusted = False,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Engine to use: {' or '.join(ENGINES)}. Default: optimized; through a server, what its rollout says.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="TF", help="Stored timeframe to build from. Default: its own, else the finest that fits."),
    ] = None,
    zero_volume: Annotated[
        ZeroVolume, typer.Option(help="Keep or drop flat candles without volume, which a vendor invented.")
    ] = ZeroVolume.KEEP,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Say where one value comes from: its definition, its bars and source candles, and the exact value beside it.

    Exit code 1 when the value is further from the exact one than its definition allows.

    Example: candlewick explain AAPL --timeframe 5m --at 2024-01-02T10:00:00-05:00 --column bollinger_20_2_upper
    """
    from candlewick.cli.connection import open_or_reach
    from candlewick.cli.output import print_json
    from candlewick.cli.ranges import parse_as_of
    from candlewick.client import Client

    if engine not in (None, *ENGINES):
        raise UnknownNameError("engine", engine, ENGINES)
    meant, moment = _time(at, timezone), parse_as_of(as_of, timezone)
    with open_or_reach(store) as place:
        if isinstance(place, Client):
            found = place.explain(
                symbol,
                timeframe,
                meant,
                column,
                engine=engine or "auto",
                source=source,
                zero_volume=str(zero_volume),
                as_of=moment,
                adjusted=adjusted,
            )
        else:
            asked: dict[str, Any] = {"source": source, "zero_volume": str(zero_volume), "as_of": moment}
            asked["adjusted"] = adjusted
            found = _stored(place, symbol, timeframe, meant, column, engine or "optimized", asked)
    if json:
        print_json(found)
    else:
        _print(found)
    if found["recomputed"]["kept"] is False:
        raise typer.Exit(BEYOND)


def _time(at: str, timezone: str | None) -> str:
    """The time as ISO UTC; a date stays one, since only the series' calendar knows when its session opens."""
    from candlewick.moments import DATE, moment
    from candlewick.sessions.hours import find_zone
    from candlewick.store.repository import iso

    zone = None if timezone is None else find_zone(timezone, "timezone")
    return at if DATE.fullmatch(at.strip()) else iso(moment(at, "at", zone=zone))


def _stored(
    store: CandleRepository, symbol: str, timeframe: str, at: str, column: str, engine: str, asked: dict[str, Any]
) -> dict[str, Any]:
    from candlewick.explain.explain import explain as explained
    from candlewick.service.classic import ClassicService
    from candlewick.service.optimized import OptimizedService
    from candlewick.service.request import Request

    made = OptimizedService(store, workers=1, cache_enabled=False) if engine == "optimized" else ClassicService(store)
    with made as service:
        return explained(service, store, Request.of(symbol, timeframe, **asked), at.strip(), column).as_dict()


def _print(found: dict[str, Any]) -> None:
    from candlewick.cli.table import print_table

    typer.echo(f"{found['column']} of {found['symbol']} {found['timeframe']} at {found['at']}: {_value(found)}\n")
    rows = told(found)
    wide = max(map(len, rows))
    for name, text in rows.items():
        for at, line in enumerate(textwrap.wrap(text, WIDTH)):
            typer.echo(f"{('' if at else name).ljust(wide)}  {line}")
    window = found["window"]
    shown = window["shown"][-BARS:]
    typer.echo(f"\nBars of the window, {_of(len(shown), window['bars'], 'the last')}:")
    names = ("open", "high", "low", "close", "volume")
    table = [
        [one["time"], one["session"], *(_number(one[name]) for name in names), f"{one['n']} of {one['possible']}"]
        for one in shown
    ]
    print_table(("time", "session", *names, "candles"), table, numbers=range(2, 8))
    bar = found["bar"]
    typer.echo(f"\nCandles of the bar, {_of(len(bar['candles']), bar['n'], 'the first and last,')}:")
    candles = [[one["time"], *(_number(one[name]) for name in names)] for one in bar["candles"]]
    print_table(("time", *names), candles, numbers=range(1, 6))


def told(found: dict[str, Any]) -> dict[str, str]:
    """What is told of an explanation, by a word for each line."""
    bar, series, warm_up, again = found["bar"], found["series"], found["warm_up"], found["recomputed"]
    definition = found["definition"]
    parameters = ", ".join(f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {value}"
                           for name, value in definition["parameters"].items())  # fmt: skip
    part = "" if definition["part"] is None else f"; its {definition['part']}"
    fell_back = ", after the other engine failed" if found["fallback"] else ""
    undefined = {} if found["undefined"] is None else {"undefined": found["undefined"]}
    return undefined | {
        "exactly": _exactly(again),
        "difference": _difference(again),
        "definition": f"{definition['text']}: {definition['meaning']}{part}",
        **({"parameters": parameters} if parameters else {}),
        "follows": definition["follows"],
        "bar": f"{'final' if bar['final'] else 'forming'}, until {bar['end']}, session {bar['session']} "
        f"(trading {bar['period_open']} to {bar['period_close']}), {bar['n']} of {bar['possible']} candles",
        "window": f"{found['window']['bars']:,} bars from {found['window']['first']} on",
        "warm-up": f"{'over' if warm_up['over'] else 'not over'}: {warm_up['needed']:,} bars needed, "
        f"{warm_up['present']:,} there",
        "series": f"{series['source']} candles from {series['first']} on, {series['candles']:,} until this bar's end, "
        f"revision {series['revision']}, generation {series['generation']}, zero volume {series['zero_volume']}",
        **({"adjusted": _adjusted(series["splits"])} if series["splits"] else {}),
        "calendar": f"{series['calendar']}, {series['timezone']}, version {series['calendar_version']}",
        "engine": f"{found['engine']} (arm {found['arm']}, cache {found['cache']}){fell_back}",
        "revision": f"{found['revision']}",
        "fingerprint": found["fingerprint"],
        "kernel": found["kernel"],
    }


def _adjusted(splits: list[dict[str, Any]]) -> str:
    return "for splits: " + ", ".join(f"{one['ratio']} from {one['time']} on" for one in splits)


def _value(found: dict[str, Any]) -> str:
    return "undefined" if found["value"] is None else repr(found["value"])


def _exactly(again: dict[str, Any]) -> str:
    if again["note"] is not None:
        return str(again["note"])
    value = "undefined" if again["digits"] is None else again["digits"]
    bars = f"{again['bars']:,} bar{'' if again['bars'] == 1 else 's'}"
    if again["whole_history"]:
        return f"{value}, from {bars}"
    return (
        f"{value}, from {bars}, begun at {again['exact_from']}: what was before moves it by {again['truncation']:.1g} "
        "at most"
    )


def _difference(again: dict[str, Any]) -> str:
    if again["kept"] is None:
        return "not known"
    verdict = "kept" if again["kept"] else "NOT KEPT"
    if again["difference"] is None:
        return "both undefined" if again["kept"] else "NOT KEPT: only one of them is undefined"
    whose = "the definition's bound" if again["bound_of"] == "definition" else "the parity law's bound"
    return f"{again['difference']:.3g}; {whose} of {again['bound']:.3g} is {verdict}"


def _of(shown: int, count: int, which: str) -> str:
    return "all of them" if shown == count else f"{which} {shown} of {count:,}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".8g")

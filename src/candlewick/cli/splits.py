"""splits: the factors by which candles are adjusted when that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from candlewick.store.splits import Split

splits = typer.Typer(
    name="splits",
    help="Keep split factors. Stored candles stay as they are; --adjusted shows them as after all splits.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

At = Annotated[
    str,
    typer.Argument(
        metavar="TIME",
        help="From when on prices are those after the split: a date, which is that session's day, or ISO with an "
        "offset or Z.",
    ),
]
Calendar = Annotated[
    str | None, typer.Option(metavar="NAME", help="Calendar of a date. Default: that of the stored symbol.")
]


@splits.command("set")
def set_factor(
    symbol: options.Symbol,
    at: At,
    factor: Annotated[str, typer.Argument(metavar="FACTOR", help="7 or 7:1 where one share became seven; 1:10.")],
    calendar: Calendar = None,
    timezone: options.Timezone = None,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Keep a factor, in the place of one of the same moment.

    Adjusted, prices before it are divided by the factor and volumes multiplied, from now on: set it once the split has
    happened.

    Example: candlewick splits set AAPL 2014-06-09 7:1
    """
    from candlewick.cli.connection import open_or_reach

    with open_or_reach(store, make=True) as place:
        found = place.set_split(symbol, _moment(at, timezone), factor, calendar=calendar)
    _tell(symbol, found, "is kept", json)


@splits.command("remove")
def remove_factor(
    symbol: options.Symbol,
    at: At,
    calendar: Calendar = None,
    timezone: options.Timezone = None,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Forget the factor of a moment. Exit code 2 where there is none."""
    from candlewick.cli.connection import open_or_reach
    from candlewick.errors import InputError
    from candlewick.store.repository import iso

    with open_or_reach(store) as place:
        found = place.remove_split(symbol, _moment(at, timezone), calendar=calendar)
        if found is None:
            held = ", ".join(f"{one.text} at {iso(one.time)}" for one in place.splits().get(symbol, ()))
            raise InputError("at", at, f"{symbol} has {held or 'no factors'}", "is not the time of a factor")
    _tell(symbol, found, "is removed", json)


@splits.command("list")
def list_factors(
    symbol: Annotated[str | None, typer.Argument(metavar="[SYMBOL]", help="Only those of this symbol.")] = None,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """List the factors that are kept."""
    from candlewick.cli.connection import is_there, open_or_reach, store_url
    from candlewick.cli.output import note, print_json
    from candlewick.cli.table import print_table

    url = store_url(store)
    rows: list[dict[str, Any]] = []
    if is_there(url):
        with open_or_reach(store) as place:
            kept = place.splits()
        names = sorted(kept) if symbol is None else [symbol]
        rows = [{"symbol": name, **one.as_dict()} for name in names for one in kept.get(name, ())]
    if json:
        print_json(rows)
    elif rows:
        print_table(("symbol", "from", "ratio"), [[row["symbol"], row["time"], row["ratio"]] for row in rows])
    else:
        note("No factors are kept.")


def _moment(at: str, timezone: str | None) -> str | int:
    """A date as it is, since only a calendar knows when its day begins; else microseconds."""
    from candlewick.moments import DATE, moment
    from candlewick.sessions.hours import find_zone

    if DATE.fullmatch(at.strip()):
        return at.strip()
    return moment(at, "at", zone=None if timezone is None else find_zone(timezone, "timezone"))


def _tell(symbol: str, found: Split, done: str, json: bool) -> None:
    from candlewick.cli.output import print_json
    from candlewick.store.repository import iso

    if json:
        print_json({"symbol": symbol, **found.as_dict()})
    else:
        typer.echo(f"{symbol}: {found.text} from {iso(found.time)} on {done}.")

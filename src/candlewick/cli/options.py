"""Options that several commands share, so that one name means one thing everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="Symbol as stored, such as AAPL or BTC/USD.")]

Store = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Store to use: a path or duckdb:///path. Default: CANDLEWICK_STORE, then store in candlewick.toml, "
        "then a file in your data folder (`candlewick config show` names it).",
    ),
]

Control = Annotated[
    str | None,
    typer.Option(
        metavar="PATH", help="Control journal to use. Default: CANDLEWICK_CONTROL, else the one beside the store."
    ),
]

UnusedStore = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Accepted so that scripts may always give it; this command opens no store."),
]

DemoStore = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Store to fill and keep: a path or duckdb:///path. Default: a temporary one."),
]

SIGNED = {"ignore_unknown_options": True}
"""For a command with a number as its argument: -5 is a number then, which is told what is right, and no option."""

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON value to standard output.")]

Start = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="First time to include: ISO with an offset or Z, or a date, which is the open of that session.",
    ),
]

End = Annotated[str | None, typer.Option(metavar="TIME", help="First time to leave out; same forms as --start.")]

AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Show what was known at this moment, before later corrections: ISO with an offset or Z."
    ),
]

Adjusted = Annotated[
    bool, typer.Option("--adjusted", help="Adjust candles by the factors that `candlewick splits` keeps.")
]

Timezone = Annotated[
    str | None,
    typer.Option(metavar="ZONE", help="What times without an offset are in, such as America/New_York."),
]

Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to this file, whole or not at all."),
]

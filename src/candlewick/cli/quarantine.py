"""quarantine: the rows that were refused, and why."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from candlewick.cli import options

SHOWN = 50
"""Rows shown to a reader; --json gives all."""


def quarantine(
    symbol: Annotated[str | None, typer.Option(metavar="SYMBOL", help="Only the rows of this symbol.")] = None,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Show the rows that ingest refused: file, line, reason and the row as it stood.

    Mend the file and ingest it again: what is right by then goes in.
    """
    from candlewick.cli.connection import open_for_reading
    from candlewick.cli.output import note, print_json
    from candlewick.cli.table import print_table

    with open_for_reading(store) as repository:
        rows = [row.as_dict() for row in repository.quarantined(symbol)]
    if json:
        print_json(rows)
        return
    if not rows:
        note("No row is in quarantine.")
        return
    header = ("file", "line", "symbol", "reason", "row")
    print_table(header, [[str(row[name]) for name in header] for row in rows[:SHOWN]], numbers=(1,))
    counted = f"{len(rows):,} row{'' if len(rows) == 1 else 's'}"
    typer.echo(counted + (f", the first {SHOWN} are shown; --json gives all" if len(rows) > SHOWN else ""))
    for reason, count in Counter(row["reason"] for row in rows).most_common():
        typer.echo(f"{count:>9,}  {reason}")

"""indicators: what can be computed."""

from __future__ import annotations

import typer

from candlewick.cli import options


def indicators(json: options.Json = False, store: options.UnusedStore = None) -> None:  # noqa: ARG001 - see its help
    """List the indicators: how each is written, what it means, its columns and its warm-up.

    Columns and warm-up belong to the example shown, which takes the defaults. The warm-up counts the bars at the start
    of a series at which a column is still undefined.
    """
    from candlewick.cli.connection import settings_in_force
    from candlewick.cli.output import print_json
    from candlewick.engine.catalogue import catalogue
    from candlewick.engine.described import described
    from candlewick.indicators import PRESETS

    settings_in_force()
    rows = [described(cls) for cls in catalogue().values()]
    if json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['signature']}\n    {row['meaning']}")
        typer.echo(f"    {row['example']}: {', '.join(row['columns'])}; warm-up {row['warm_up']}")
    for name, text in PRESETS.items():
        typer.echo(f"\npreset {name}\n    {text}")

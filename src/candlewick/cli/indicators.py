"""indicators: what can be computed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from candlewick.indicators import Indicator

EXAMPLE_PERIOD = 20
"""Shown for a parameter that has no default."""


def indicators(json: options.Json = False, store: options.UnusedStore = None) -> None:  # noqa: ARG001 - see its help
    """List the indicators: how each is written, what it means, its columns and its warm-up.

    Columns and warm-up belong to the example shown, which takes the defaults. The warm-up counts the bars at the start
    of a series at which a column is still undefined.
    """
    from candlewick.cli.connection import settings_in_force
    from candlewick.cli.output import print_json
    from candlewick.engine.catalogue import catalogue
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


def described(cls: type[Indicator]) -> dict[str, Any]:
    """One indicator as plain values for JSON."""
    from candlewick.indicators.registry import signature_of

    required = [field for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING]
    example = cls(*(EXAMPLE_PERIOD for _ in required))
    return {
        "name": cls.kind,
        "signature": signature_of(cls),
        "example": example.text,
        "columns": list(example.columns),
        "warm_up": example.warm_up,
        "meaning": cls.meaning,
    }

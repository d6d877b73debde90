"""bench: how fast it is here, beside other libraries."""

from __future__ import annotations

from typing import Annotated

import typer

from candlewick.cli import options


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAMES]...", help="Rows to measure. Default: all of them.")
    ] = None,
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the result as JSON to FILE; - is standard output.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: to try it out, not to quote.")] = False,
    store: options.UnusedStore = None,
) -> None:
    """Measure candlewick beside its peers, taking turns in one process.

    A peer that is not installed is named as absent: pip install 'candlewick[bench]' brings them all.
    """

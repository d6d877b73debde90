"""Table: rows for a reader at a terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from candlewick.cli.output import iso_times

if TYPE_CHECKING:
    from candlewick.cli.output import Columns

SHOWN = 20
"""Rows of a long answer that the table shows, from its end."""

UNBOUNDED = 10_000
"""Width where there is no terminal: a pipe has none, and rich would fold at 80."""

GAP = 2
"""Spaces between two columns."""


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[int] = ()) -> None:
    """Rows under a header; columns listed in ``numbers`` are right-aligned. In a pipe nothing is folded."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(header):
        table.add_column(Text(name), justify="right" if place in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console.width = UNBOUNDED
    console.print(table)


def print_bars(title: str, columns: Columns) -> None:
    """The last rows of an answer, in blocks of columns that fit the terminal, and how many rows there are in all."""
    count = len(next(iter(columns.values())))
    texts = {name: _cells(values[-SHOWN:]) for name, values in columns.items()}
    for block in blocks({name: max(map(len, [name, *cells])) for name, cells in texts.items()}, _width()):
        print_table(block, list(zip(*(texts[name] for name in block), strict=True)), numbers=range(1, len(block)))
    shown = f"the last {SHOWN} of {count:,} bars" if count > SHOWN else f"{count} bar{'' if count == 1 else 's'}"
    sys.stdout.write(f"{title}: {shown}\n")
    sys.stdout.flush()


def blocks(widths: Mapping[str, int], room: int) -> list[list[str]]:
    """Column names in groups that are no wider than ``room``; each begins with the first column."""
    first, *rest = widths
    groups = [[first]]
    used = widths[first]
    for name in rest:
        if used + GAP + widths[name] > room and len(groups[-1]) > 1:
            groups.append([first])
            used = widths[first]
        groups[-1].append(name)
        used += GAP + widths[name]
    return groups


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else UNBOUNDED


def _cells(values: Any) -> list[str]:
    if values.dtype.kind == "M":
        return iso_times(values)
    if values.dtype.kind == "f":
        return ["" if value != value else format(value, ".8g") for value in values.tolist()]
    if values.dtype.kind == "b":
        return ["true" if value else "false" for value in values.tolist()]
    return [str(value) for value in values.tolist()]

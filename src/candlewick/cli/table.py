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
"""Width where there is no terminal: a pipe has none."""

GAP = 2
"""Spaces between two columns."""


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[int] = ()) -> None:
    """Rows under a header, each on one line; columns listed in ``numbers`` are right-aligned."""
    cells = [list(header), *map(list, rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(header))]
    cells.insert(1, ["-" * width for width in widths])
    for row in cells:
        aligned = [
            cell.rjust(width) if place in numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        sys.stdout.write((" " * GAP).join(aligned).rstrip() + "\n")
    sys.stdout.flush()


def print_bars(title: str, columns: Columns) -> None:
    """The last rows of an answer, in blocks of columns that fit the terminal, and how many rows there are in all."""
    count = len(next(iter(columns.values())))
    texts = {name: _cells(values[-SHOWN:]) for name, values in columns.items()}
    for block in blocks({name: max(map(len, [name, *cells])) for name, cells in texts.items()}, _width()):
        print_table(block, list(zip(*(texts[name] for name in block), strict=True)), numbers=range(1, len(block)))
        sys.stdout.write("\n")
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
        return [_number(value) for value in values.tolist()]
    if values.dtype.kind == "b":
        return ["true" if value else "false" for value in values.tolist()]
    return [str(value) for value in values.tolist()]


def _number(value: float) -> str:
    if value != value:
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".8g")

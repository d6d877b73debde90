"""Notebook: a table as HTML, for Jupyter and whatever else asks for ``_repr_html_``."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def html_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A title line and a table as one HTML fragment: no script, no style, nothing loaded; every text is escaped."""
    lines = [f"<p><b>{escape(title)}</b></p>", '<table border="1" class="dataframe">', "<thead>", _row("th", header)]
    lines += ["</thead>", "<tbody>", *(_row("td", row) for row in rows), "</tbody>", "</table>"]
    return f"<div>{''.join(lines)}</div>"


def _row(kind: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"

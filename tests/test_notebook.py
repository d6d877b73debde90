"""Notebook: what a cell shows is well-formed, escaped, loads nothing, and says what the object is."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import candlewick as cw
from candlewick.notebook import html_table

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
ALLOWED = {"div", "p", "b", "table", "thead", "tbody", "tr", "th", "td"}


class Read(HTMLParser):
    """The texts of a fragment, its tags checked on the way."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.title, self.rows = "", list[list[str]]()
        self.feed(fragment)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED
        assert dict(attrs) == ({"border": "1", "class": "dataframe"} if tag == "table" else {})
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] == "b":
            self.title += data
        else:
            assert self.open[-1] in ("th", "td")
            self.rows[-1][-1] += data


def bars_of(symbol: str, minutes: int) -> cw.Candles:
    close = 100 + np.arange(minutes) / 4
    time = np.datetime64("2024-01-02T14:30", "us") + np.arange(minutes) * np.timedelta64(1, "m")
    prices: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close", "volume"), close)
    return cw.Candles(symbol=symbol, timeframe="1m", calendar="XNYS", time=time, **prices)


@given(TEXT, st.lists(TEXT, min_size=1, max_size=4), st.integers(0, 3), st.data())
def test_every_text_arrives_as_it_is(title: str, header: list[str], rows: int, data: st.DataObject) -> None:
    cells = [data.draw(st.lists(TEXT, min_size=len(header), max_size=len(header))) for _ in range(rows)]
    read = Read(html_table(title, header, cells))
    assert read.title == title
    assert read.rows == [header, *cells]


@given(TEXT.filter(lambda text: bool(text.strip())), st.integers(0, 60))
def test_a_cell_shows_what_the_text_form_shows(symbol: str, minutes: int) -> None:
    candles = bars_of(symbol, minutes)
    read = Read(candles._repr_html_())
    lines = repr(candles).removeprefix(f"<Candles {symbol} 1m XNYS: ").split("\n")
    assert read.title.startswith(f"Candles {symbol} 1m XNYS: {lines[0].removesuffix('>')}")
    assert [" ".join(row).split() for row in read.rows] == [line.split() for line in lines[1:]]


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "A&lt;B", '"><img src=x onerror=alert(1)>'])
def test_a_hostile_symbol_is_text(hostile: str) -> None:
    candles = bars_of(hostile, 30)
    for shown in (candles, cw.aggregate(candles, "5m"), cw.compute(candles, "sma(3)")):
        assert hostile in Read(shown._repr_html_()).title


def test_the_title_says_kind_series_range_and_counts() -> None:
    candles = bars_of("ACME", 32)
    bars = cw.aggregate(candles, "5m", complete_until="2024-01-02T15:02:00Z")
    titles = [
        Read(shown._repr_html_()).title
        for shown in (candles, bars, cw.compute(bars, "desk"), cw.compute(bars, "sma(3)"), candles[:0], bars[:1])
    ]
    assert titles == [
        "Candles ACME 1m XNYS: 32 rows, 2024-01-02T14:30:00Z to 2024-01-02T15:01:00Z",
        "Bars ACME 5m XNYS of 1m candles: 7 rows, 6 final, 2024-01-02T14:30:00Z to 2024-01-02T15:00:00Z",
        "IndicatorFrame ACME 5m XNYS: 7 rows x 11 columns, 2024-01-02T14:30:00Z to 2024-01-02T15:00:00Z",
        "IndicatorFrame ACME 5m XNYS: 7 rows x 1 column, 2024-01-02T14:30:00Z to 2024-01-02T15:00:00Z",
        "Candles ACME 1m XNYS: 0 rows",
        "Bars ACME 5m XNYS of 1m candles: 1 row, 1 final, 2024-01-02T14:30:00Z to 2024-01-02T14:30:00Z",
    ]

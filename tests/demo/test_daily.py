"""Daily: the real file, or a clear word about why not."""

from __future__ import annotations

import gzip

import pytest

from candlewick.demo.daily import daily_file
from candlewick.errors import InputError


def test_the_file_holds_daily_candles_of_five_symbols() -> None:
    pytest.importorskip("bokeh_sampledata")
    with daily_file() as path, gzip.open(path, "rt") as text:
        header, *rows = text.read().splitlines()
    assert header.startswith("Ticker,Date,Open,High,Low,Close,Volume")
    assert {row.split(",")[0] for row in rows} == {"AAPL", "FB", "GOOG", "IBM", "MSFT"}


def test_an_absent_package_says_how_to_get_it() -> None:
    with (
        pytest.raises(InputError, match=r"demo: 'bokeh-sampledata' is not installed; pip install 'candlewick\[demo\]'"),
        daily_file("no_such_package_of_candles"),
    ):
        pytest.fail("never opened")


def test_a_package_without_the_file_names_the_version() -> None:
    with pytest.raises(InputError, match=r"has no _data/stocks.csv.gz; install version"), daily_file("candlewick"):
        pytest.fail("never opened")

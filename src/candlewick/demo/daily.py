"""Daily: the file of real daily candles inside the package bokeh-sampledata."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from candlewick.errors import InputError

PACKAGE = "bokeh_sampledata"
FILE = "_data/stocks.csv.gz"
"""AAPL, FB, GOOG, IBM and MSFT from 2000-03-01 to 2013-03-01; a date is an XNYS session."""


@contextmanager
def daily_file(package: str = PACKAGE) -> Iterator[Path]:
    """The file's path. Raises InputError when the package is not installed or does not have the file."""
    try:
        place = resources.files(package) / FILE
    except ModuleNotFoundError as error:
        expected = "pip install 'candlewick[demo]' brings it"
        raise InputError("demo", "bokeh-sampledata", expected, "is not installed") from error
    if not place.is_file():
        raise InputError("demo", "bokeh-sampledata", "install version 2026.1 or newer", f"has no {FILE}")
    with resources.as_file(place) as path:
        yield path

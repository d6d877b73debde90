"""Question: what is asked of a server, as the parameters that HTTP takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from urllib.parse import quote

import numpy as np

from candlewick.client.streamed_bar import StreamedBar
from candlewick.errors import InputError
from candlewick.indicators import Specs
from candlewick.indicators.indicator import Indicator
from candlewick.moments import DATE, Moment, moment
from candlewick.store.repository import iso
from candlewick.timeframe import Timeframe

Asked = str | int | bool | None


def parameters(**given: Asked) -> dict[str, str]:
    """What is not None, as text."""
    return {name: _text(value) for name, value in given.items() if value is not None}


def indicator_text(specs: Specs | None) -> str | None:
    """Indicators in any form as one text. A text goes as it is: the server may know more of them."""
    if specs is None or isinstance(specs, str):
        return specs
    if isinstance(specs, Indicator):
        return specs.text
    return ",".join(one.text if isinstance(one, Indicator) else one for one in specs)


def edge(at: Moment | None, name: str) -> str | None:
    """The edge of a range: a date stays one, since the calendar of the series says what it means.

    Raises NaiveTimeError for a time without a timezone, InputError for what is no time.
    """
    if at is None:
        return None
    if isinstance(at, np.datetime64) and np.datetime_data(at.dtype) == ("D", 1) and not np.isnat(at):
        return str(at)
    if isinstance(at, str) and DATE.fullmatch(at.strip()):
        return at.strip()
    if isinstance(at, dt.date) and not isinstance(at, dt.datetime):
        return at.isoformat()
    return iso(moment(at, name))


def timeframe_text(timeframe: str | Timeframe | None, name: str = "timeframe") -> str | None:
    """A timeframe as text, checked."""
    return None if timeframe is None else str(Timeframe.parse(timeframe, name))


def segment(name: str, parameter: str) -> str:
    """The name of a symbol as a part of a path. Raises InputError for what is no name."""
    if not isinstance(name, str) or not name:
        raise InputError(parameter, name, "give the name of a stored symbol")
    return quote(name, safe="")


def followed(
    symbols: str | Iterable[str], since: StreamedBar | Mapping[str, StreamedBar] | None
) -> tuple[tuple[str, ...], dict[str, StreamedBar]]:
    """The symbols of a stream, each once, and the last bar that was seen of each. Raises InputError."""
    names = (symbols,) if isinstance(symbols, str) else tuple(dict.fromkeys(symbols))
    for name in names:
        segment(name, "symbols")
    if not names:
        raise InputError("symbols", symbols, "give at least one symbol", "names none")
    if not isinstance(since, StreamedBar | Mapping | None):
        raise InputError("since", since, "give a bar of a stream, or such bars by symbol", "is no bar")
    if not isinstance(since, StreamedBar):
        return names, dict(since or {})
    if len(names) > 1:
        raise InputError("since", since.symbol, "give a bar for each symbol, by symbol", "is one bar of several")
    return names, {names[0]: since}


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

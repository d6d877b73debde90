"""Asked: the query of a request for candles, parsed once and remembered, unknown names refused."""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from candlewick.errors import InputError, UnknownNameError
from candlewick.moments import DATE, moment
from candlewick.service.request import LIMIT, Request
from candlewick.service.served import CHOICES

PARAMETERS = {
    "timeframe": "Length of a bar: 1m, 5m, 90m, 1h, 4h, 1d, 1w or 1mo.",
    "start": "First time to include: ISO 8601 with an offset or Z, or a date, which is the open of that session.",
    "end": "First time to leave out; same forms as start.",
    "indicators": "A preset such as desk, or a list such as sma(9),bollinger(20,2).",
    "engine": f"One of {', '.join(CHOICES)}; auto follows the rollout.",
    "source": "Stored timeframe to build from; left out: its own, else the finest that fits.",
    "zero_volume": "keep or drop flat candles without volume.",
    "final_only": "true leaves out the bar that can still change.",
    "as_of": "Moment as of which the answer is made, of what was known then: ISO 8601 with an offset or Z.",
    "adjusted": "true adjusts the candles by the symbol's split factors first.",
    "limit": f"Bars that the answer may have; {LIMIT} when left out.",
}
"""What may be asked, with what is right for it."""

MANY_PARAMETERS = {"symbols": "Symbols as stored, separated by commas."} | PARAMETERS
"""What may be asked of many symbols at once."""

REMEMBERED = 512
"""Longest query that is remembered, in bytes: it bounds what 4096 of them take."""

LONGEST_QUERY = 8192
"""Bytes of a query for one symbol."""

LONGEST_SYMBOL = 200
"""Characters of a symbol."""

MOST_INDICATORS, MOST_COLUMNS = 100, 200
"""Definitions in one request, and the columns that they make: each set of them is compiled once, and kept."""

MOST_SYMBOLS = 500
"""Symbols in one request: what a desk has on all its screens."""

LONGEST_MANY = 65_536
"""Bytes of a query for many symbols."""

MOST_BARS, MOST_VALUES = 500_000, 20_000_000
"""Bars of all symbols of one request together, and bars times columns: the answer is made as one piece of JSON."""

BAR_COLUMNS = 8
"""Columns of a bar without indicators: time, open, high, low, close, volume, n, final."""

_SPACED = re.compile(r".+ \d\d:?\d\d")


@dataclass(frozen=True)
class Asked:
    """A request and the engine that should answer it."""

    request: Request
    engine: str


@dataclass(frozen=True)
class AskedMany:
    """The requests of many symbols, in the order asked, and the engine that should answer them."""

    requests: tuple[Request, ...]
    engine: str


def asked(symbol: str, query: bytes) -> Asked:
    """What a query string asks for. Raises InputError or UnknownNameError that names the parameter."""
    return _remembered(symbol, query) if len(query) <= REMEMBERED else _parsed(symbol, query)


def asked_many(query: bytes) -> AskedMany:
    """The same question about each of ``symbols``. Raises InputError or UnknownNameError that names the parameter."""
    _check_query(query, LONGEST_MANY)
    given = fields(query, MANY_PARAMETERS)
    symbols = [name.strip() for name in needed(given, "symbols", "give one or more, such as SPY,IBM").split(",")]
    if len(symbols) > MOST_SYMBOLS:
        raise InputError("symbols", len(symbols), f"ask for at most {MOST_SYMBOLS} at a time", "are too many")
    for name in symbols:
        _check_symbol(name, "symbols")
    if len(set(symbols)) < len(symbols):
        twice = next(name for at, name in enumerate(symbols) if name in symbols[:at])
        raise InputError("symbols", twice, "name each symbol once", "is given twice")
    first = _request(symbols[0], given)
    columns = BAR_COLUMNS + sum(len(one.columns) for one in first.indicators)
    each = min(MOST_BARS, MOST_VALUES // columns) // len(symbols)
    if "limit" not in given:
        first = replace(first, limit=min(LIMIT, each))
    elif first.limit > each:
        expected = f"ask for at most {each} bars of each of {len(symbols)} with {columns} columns"
        raise InputError("limit", first.limit, expected, "is too much")
    return AskedMany(tuple(replace(first, symbol=name) for name in symbols), _engine(given))


def fields(query: bytes, known: dict[str, str]) -> dict[str, str]:
    """The parameters of a query string, each once, each known."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in known:
            raise UnknownNameError("query parameter", name, known)
        if name in found:
            raise InputError(name, value, "give it once", "is given twice")
        found[name] = value
    return found


def needed(given: dict[str, str], name: str, expected: str) -> str:
    """A parameter that has no default."""
    if name not in given:
        raise InputError(name, None, expected, "is missing")
    return given[name]


def _parsed(symbol: str, query: bytes) -> Asked:
    _check_query(query, LONGEST_QUERY)
    _check_symbol(symbol, "symbol")
    given = fields(query, PARAMETERS)
    return Asked(_request(symbol, given), _engine(given))


def _request(symbol: str, given: dict[str, str]) -> Request:
    request = Request.of(
        symbol,
        needed(given, "timeframe", "give one such as 5m: " + PARAMETERS["timeframe"]),
        given.get("indicators"),
        start=_edge(given, "start"),
        end=_edge(given, "end"),
        source=given.get("source"),
        zero_volume=given.get("zero_volume", "keep"),
        final_only=truth(given, "final_only"),
        limit=_whole(given, "limit", LIMIT),
        as_of=moment_text(given, "as_of"),
        adjusted=truth(given, "adjusted"),
    )
    columns = sum(len(one.columns) for one in request.indicators)
    if len(request.indicators) > MOST_INDICATORS or columns > MOST_COLUMNS:
        expected = f"ask for at most {MOST_INDICATORS} of them and {MOST_COLUMNS} columns at a time"
        shown = f"{len(request.indicators)} with {columns} columns"
        raise InputError("indicators", shown, expected, "are too many")
    return request


def _engine(given: dict[str, str]) -> str:
    engine = given.get("engine", "auto")
    if engine not in CHOICES:
        raise UnknownNameError("engine", engine, CHOICES)
    return engine


def _check_query(query: bytes, most: int) -> None:
    if len(query) > most:
        raise InputError("query", len(query), f"send at most {most}", "bytes are too many")


def _check_symbol(symbol: str, parameter: str) -> None:
    if not symbol or len(symbol) > LONGEST_SYMBOL:
        expected = f"give the name of a stored symbol, of 1 to {LONGEST_SYMBOL} characters"
        raise InputError(parameter, symbol[:LONGEST_SYMBOL], expected)


_remembered = functools.lru_cache(maxsize=4096)(_parsed)


def _edge(given: dict[str, str], name: str) -> int | dt.date | None:
    return None if name not in given else time_of(given[name], name)


def moment_text(given: dict[str, str], name: str) -> str | None:
    """A moment as it was given, unless its plus sign was lost on the way. Raises InputError."""
    text = given.get(name)
    if text is not None and _SPACED.fullmatch(text):
        raise _spaced(name, text)
    return text


def _spaced(name: str, text: str) -> InputError:
    return InputError(name, text, "write the plus sign of an offset as %2B", "is not a time")


def time_of(text: str, name: str) -> int | dt.date:
    """Microseconds, or a date, whose session only the series' calendar knows."""
    if DATE.fullmatch(text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError as error:
            raise InputError(name, text, "give a date that there is", "is no date") from error
    if _SPACED.fullmatch(text):
        raise _spaced(name, text)
    return moment(text, name)


def truth(given: dict[str, str], name: str) -> bool:
    """A parameter that is true or false, which it is when left out. Raises InputError."""
    text = given.get(name, "false")
    if text not in ("true", "false"):
        raise InputError(name, text, "give true or false")
    return text == "true"


def _whole(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise InputError(name, text, "give a whole number above 0")
    return int(text)

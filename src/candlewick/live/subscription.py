"""Subscription: which series a client follows, under which name, and what it has of it already. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from candlewick.engine.catalogue import resolve
from candlewick.errors import InputError, UnknownNameError
from candlewick.indicators.indicator import Indicator
from candlewick.service.served import CHOICES
from candlewick.timeframe import Timeframe

BARS = 100
"""Bars of a snapshot, unless the subscription says otherwise."""

BACKFILL = 1000
"""Final bars that are sent to whoever comes back, unless the subscription says otherwise."""

MOST_BARS = 10_000
"""Bars that a subscription may ask for."""

LONGEST = 200
"""Characters of an id."""

YEARS = (-62_135_596_800_000, 253_402_300_799_999)
"""Milliseconds of the years 1 to 9999."""

FIELDS = ("id", "symbol", "timeframe", "indicators", "bars", "engine", "since")


@dataclass(frozen=True)
class Topic:
    """A series with indicators by an engine: what is computed once for everybody who follows it."""

    symbol: str
    timeframe: Timeframe
    indicators: tuple[Indicator, ...] = ()
    engine: str = "auto"


@dataclass(frozen=True)
class Since:
    """What a client has: everything of ``revision``, up to the final bar that opened at ``time`` (milliseconds)."""

    revision: int
    time: int


@dataclass(frozen=True)
class Subscription:
    """``id`` names it in every message. ``bars``: of the snapshot, or of the backfill when ``since`` is given."""

    id: str
    topic: Topic
    bars: int = BARS
    since: Since | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Subscription:
        """A subscription from plain values, as JSON has them. Raises InputError or UnknownNameError that names what
        cannot be used."""
        for name in given:
            if name not in FIELDS:
                raise UnknownNameError("member of a subscription", name, FIELDS)
        symbol = _text(given, "symbol", "give the name of a stored symbol")
        length = Timeframe.parse(_text(given, "timeframe", "give one such as 5m"))
        specs = given.get("indicators")
        engine = given.get("engine", "auto")
        if engine not in CHOICES:
            raise UnknownNameError("engine", engine, CHOICES)
        since = _since(given.get("since"))
        bars = given.get("bars", BARS if since is None else BACKFILL)
        if not _whole(bars) or not 1 <= bars <= MOST_BARS:
            raise InputError("bars", bars, f"give 1 to {MOST_BARS}")
        topic = Topic(symbol, length, _indicators(specs), engine)
        usual = " ".join(one for one in (symbol, str(length), _shown(specs)) if one)[:LONGEST]
        return cls(_named(given.get("id", usual)), topic, bars, since)


def _text(given: Mapping[str, Any], name: str, expected: str) -> str:
    value = given.get(name)
    if value is None:
        raise InputError(name, None, expected, "is missing")
    if not isinstance(value, str) or not value:
        raise InputError(name, value, expected)
    return value


def _indicators(specs: Any) -> tuple[Indicator, ...]:
    if specs is None or specs in ("", []):
        return ()
    if isinstance(specs, str) or (isinstance(specs, list) and all(isinstance(one, str) for one in specs)):
        return resolve(specs)
    raise InputError("indicators", specs, "give text such as desk or sma(9),rsi(14)")


def _shown(specs: Any) -> str:
    return ",".join(specs) if isinstance(specs, list) else specs or ""


def _named(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        raise InputError("id", value, f"give text of 1 to {LONGEST} characters")
    return value


def _since(given: Any) -> Since | None:
    if given is None:
        return None
    expected = "give the revision and the time of the last final bar: {'revision': 12, 'time': 1700000000000}"
    if not isinstance(given, dict) or set(given) != {"revision", "time"} or not all(map(_whole, given.values())):
        raise InputError("since", given, expected)
    if given["revision"] < 0 or not YEARS[0] <= given["time"] <= YEARS[1]:
        raise InputError("since", given, expected)
    return Since(given["revision"], given["time"])


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

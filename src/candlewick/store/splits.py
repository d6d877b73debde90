"""Splits: factors by which the candles of a symbol before some moment are adjusted when they are read. Pure.

Raw candles stay as they were taken in. Adjusted, prices before a factor's moment are divided by it and volumes
multiplied; several factors one after the other count together.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from candlewick.candles import PRICES, Candles
from candlewick.columnar import Integers
from candlewick.errors import InputError
from candlewick.moments import DATE, EPOCH, Moment, iso, moment
from candlewick.sessions.calendar import Calendar

DAY = dt.timedelta(days=1) // dt.timedelta(microseconds=1)

_RATIO = re.compile(r"\s*([0-9.eE+-]+)\s*:\s*([0-9.eE+-]+)\s*")
_EXPECTED = "give a finite number above 0 that is not 1, such as 7, 7:1, 3:2 or 1:10"


class Split(NamedTuple):
    """From ``time`` on (microseconds UTC) one share is what ``factor`` shares were: 7 where one became seven."""

    time: int
    factor: float

    @property
    def text(self) -> str:
        """As people say it: ``7:1``, ``3:2``, ``1:10``; else the number."""
        ratio = Fraction(self.factor).limit_denominator(1000)
        if ratio.numerator in range(1, 1001) and abs(float(ratio) / self.factor - 1) < 1e-9:
            return f"{ratio.numerator}:{ratio.denominator}"
        return repr(self.factor)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the time in ISO UTC with Z."""
        return {"time": iso(self.time), "factor": self.factor, "ratio": self.text}


def factor_of(given: object, parameter: str = "factor") -> float:
    """A factor from a number or text: ``7``, ``7:1``, ``3:2``, ``1:10``. Raises InputError for anything else."""
    try:
        value = _number(given)
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise InputError(parameter, given, _EXPECTED) from error
    if not (math.isfinite(value) and value > 0 and value != 1):
        raise InputError(parameter, given, _EXPECTED)
    return value


def _number(given: object) -> float:
    if isinstance(given, str):
        ratio = _RATIO.fullmatch(given)
        return float(given) if ratio is None else float(ratio[1]) / float(ratio[2])
    if isinstance(given, bool) or not isinstance(given, int | float | np.integer | np.floating):
        raise ValueError
    return float(given)


def effective(at: Moment, calendar: Calendar | None, parameter: str = "at") -> int:
    """From when on a factor holds, microseconds UTC: a moment, or the beginning of a session's day.

    That is midnight where the exchange is, so that trading before the open counts as after the split, or the session's
    open where that comes first. Raises InputError for a date that is no session, NaiveTimeError for a date without a
    calendar and for a time without a zone.
    """
    date = _date(at)
    if date is None or calendar is None:
        return moment(at, parameter)
    opens = moment(date, parameter, labels=calendar.label_opens)
    midnight = dt.datetime(date.year, date.month, date.day, tzinfo=ZoneInfo(calendar.timezone))
    return min(opens, (midnight - EPOCH) // dt.timedelta(microseconds=1))


def _date(at: Moment) -> dt.date | None:
    """The date that was given, None for a moment."""
    if isinstance(at, np.datetime64) and np.datetime_data(at.dtype) == ("D", 1) and not np.isnat(at):
        at = str(at)
    if isinstance(at, str) and DATE.fullmatch(at.strip()):
        try:
            return dt.date.fromisoformat(at.strip())
        except ValueError:
            return None  # which `moment` refuses
    return at if isinstance(at, dt.date) and not isinstance(at, dt.datetime) else None


def check_apart(symbol: str, time: int, known: Sequence[Split]) -> None:
    """Raise InputError for a factor less than a day from another one: a split that was told twice counts twice."""
    for one in known:
        if time != one.time and abs(time - one.time) < DAY:
            expected = f"{symbol} has {one.text} at {iso(one.time)} already: remove it first"
            raise InputError("at", iso(time), expected, "is less than a day from another factor")


def texts(splits: Sequence[Split]) -> tuple[str, ...]:
    """Factors for a fingerprint, exactly."""
    return tuple(f"{one.time} {one.factor!r}" for one in splits)


def divisors(time: Integers, splits: Sequence[Split]) -> Any:
    """By what the prices of each time are divided: the product of the factors that hold from a later moment on."""
    left = [1.0]
    with np.errstate(over="ignore", under="ignore"):
        for one in reversed(splits):
            left.append(float(np.float64(left[-1]) * one.factor))
    return np.array(left[::-1])[np.searchsorted([one.time for one in splits], time, side="right")]


def adjusted(candles: Candles, splits: Sequence[Split]) -> Candles:
    """The candles as they would have been after all splits; themselves where none comes after one of them.

    ``splits``: oldest first. Raises InputError where factors are so large that figures leave the range of float64.
    """
    if not splits or not len(candles) or int(candles.microseconds[0]) >= splits[-1].time:
        return candles
    by = divisors(candles.microseconds, splits)
    with np.errstate(all="ignore"):
        values = {name: getattr(candles, name) / by for name in PRICES}
        values["volume"] = candles.volume * by
    if not all(np.isfinite(one).all() for one in values.values()):
        shown = ", ".join(f"{one.text} at {iso(one.time)}" for one in splits)
        expected = f"{candles.symbol}: look at `candlewick splits list`"
        raise InputError("splits", shown, expected, "adjust prices or volumes beyond what a number can hold")
    return Candles.trusted(candles.symbol, candles.timeframe, candles.calendar, candles.microseconds, values)

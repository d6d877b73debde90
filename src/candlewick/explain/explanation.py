"""Explanation: all that is known of one value, frozen; times are int64 microseconds UTC, in ISO for JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from candlewick.store.repository import iso

TIMES = frozenset({"at", "time", "end", "first", "last", "period_open", "period_close", "exact_from"})
"""Fields that hold a time."""


@dataclass(frozen=True)
class Definition:
    """What a column is. ``parameters``: by name. ``part``: of an indicator with several columns. ``reads``: columns of
    the bars. ``follows``: which public definition it is, where others differ, and its bound, in words."""

    text: str
    kind: str
    part: str | None
    parameters: Mapping[str, float | str]
    reads: tuple[str, ...]
    meaning: str
    follows: str


@dataclass(frozen=True)
class Origin:
    """The stored series that the value belongs to. ``first``: its first candle; ``candles``: those up to the bar's end,
    in sessions or not; ``bars``: those up to this one; ``revision`` and ``generation``: of the whole series;
    ``splits``: the factors by which its candles are adjusted where that was asked for, as `Split.as_dict` has them."""

    source: str
    calendar: str
    calendar_version: str
    timezone: str
    zero_volume: str
    first: int
    candles: int
    bars: int
    revision: int
    generation: int
    splits: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Candle:
    """A source candle, as stored; adjusted where that was asked for."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True)
class Bar:
    """A bar. ``session``: date of its (first) session. ``period_open``, ``period_close``: the trading period that it
    lies in; of 1d and coarser, first open and last close. ``n`` of ``possible`` candles are there. ``candles``: the
    first and last of them; ``left_out``: how many between these are not shown."""

    time: int
    end: int
    session: str
    period_open: int
    period_close: int
    final: bool
    open: float
    high: float
    low: float
    close: float
    volume: float
    n: int
    possible: int
    candles: tuple[Candle, ...]
    left_out: int


@dataclass(frozen=True)
class Window:
    """The bars that the value is made of. ``shown``: the first and last of them; ``left_out``: how many between these
    are not shown. For what is recursive, all bars of the series up to this one."""

    bars: int
    first: int
    last: int
    shown: tuple[Bar, ...]
    left_out: int


@dataclass(frozen=True)
class WarmUp:
    """Bars that the column needs before it has a value, and those that are there, this one included."""

    needed: int
    present: int
    over: bool


@dataclass(frozen=True)
class Recomputed:
    """The value computed exactly from what is stored, beside the served one.

    ``value``: the nearest float64; None where undefined, or not recomputed (``note`` says why). ``digits``: 40 of them.
    ``exact_from``: the first bar used; ``bars``: how many. ``whole_history``: it needed nothing before. Else what was
    left out moves the value by at most ``truncation``, which is part of ``bound``. ``bound_of``: who states the bound.
    ``difference``: served less exact, without sign; None where either is undefined. ``kept``: the served value is
    within the bound, and undefined where it should be; None when not recomputed.
    """

    value: float | None
    digits: str | None
    exact_from: int | None
    bars: int
    whole_history: bool
    truncation: float
    bound: float | None
    bound_of: str
    difference: float | None
    kept: bool | None
    note: str | None


@dataclass(frozen=True)
class Explanation:
    """One value and where it comes from. ``value``: as served, None where undefined; ``undefined``: why it is.

    ``engine`` computed it; ``arm``, ``fallback``, ``cache``, ``revision`` and ``fingerprint`` as an answer has them.
    ``kernel``: version of what computes bars and indicator; equal versions give equal bits.
    """

    symbol: str
    timeframe: str
    column: str
    at: int
    value: float | None
    undefined: str | None
    engine: str
    arm: str
    fallback: bool
    cache: str
    revision: int
    fingerprint: str
    kernel: str
    definition: Definition
    series: Origin
    bar: Bar
    warm_up: WarmUp
    window: Window
    recomputed: Recomputed

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times in ISO UTC with Z."""
        plain: dict[str, Any] = _plain(self)
        return plain


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _named(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _named(name: str, value: Any) -> Any:
    return iso(value) if name in TIMES and isinstance(value, int) else _plain(value)

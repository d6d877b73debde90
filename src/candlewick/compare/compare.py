"""compare: another platform's figures beside ours, and why they differ.

1. `framing` finds which bars the reference shows and what its times stand for.
2. `framing.edited` finds the bars and values that differ from ours.
3. `matching` finds which indicator each further column is.
4. `settling` finds the fewest causes under which the indicators agree: formulas, history, closes that nothing shows.
5. `attribution` takes each cause back: the rows that then differ are the ones it explains.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from candlewick.candles import PRICES, Candles
from candlewick.compare.account import Account, Pair
from candlewick.compare.attribution import attribute
from candlewick.compare.comparison import Comparison
from candlewick.compare.framing import by_indicators, by_prices, edited, frame
from candlewick.compare.ground import ground_of
from candlewick.compare.matching import bar_pairs, given_pairs, indicator_pairs
from candlewick.compare.reference import Reference, read_reference, reference_of
from candlewick.compare.settling import settle
from candlewick.compare.sheet import Sheet
from candlewick.compare.telling import iso, tell, title_of
from candlewick.engine.query import source_of
from candlewick.errors import InputError
from candlewick.moments import Moment, moment
from candlewick.store.repository import CandleRepository
from candlewick.timeframe import Timeframe

TOLERANCE = 1e-9
"""Relative: what two engines may differ by, as in the parity law."""


def compare(
    ours: Candles | CandleRepository,
    reference: str | Path | Reference | Any,
    *,
    symbol: str | None = None,
    timeframe: str | Timeframe | None = None,
    columns: Mapping[str, str] | None = None,
    tolerance: float = TOLERANCE,
    timezone: str | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
) -> Comparison:
    """Compare another platform's export (a path, or a table or mapping with a column of times) with ours.

    ``ours``: candles of the timeframe or finer, or a store that has those of ``symbol``. ``columns``: titles of theirs
    to columns of ours, where titles and numbers do not tell. ``tolerance``: relative. ``start``, ``end``: which of
    their rows, by their times. A cause is named only when applying it makes rows agree within what they are rounded to.

    Raises InputError for a reference without a row within our series, and for a tolerance that is none; what reading
    it raises; UnknownSeriesError.
    """
    if not (isinstance(tolerance, int | float) and 0 <= tolerance < 1):
        raise InputError("tolerance", tolerance, "give a relative difference such as 1e-9")
    candles, length = _ours(ours, symbol, timeframe)
    calendar = candles.calendar
    if isinstance(reference, str | Path):
        given = read_reference(reference, timeframe=length, calendar=calendar, symbol=candles.symbol, timezone=timezone)
    elif isinstance(reference, Reference):
        given = reference
    else:
        given = reference_of(reference, timeframe=length, calendar=calendar)
    edges = [
        None if at is None else moment(at, name, labels=calendar.label_opens)
        for at, name in ((start, "start"), (end, "end"))
    ]
    given = given.between(*edges)
    sheet = Sheet(ground_of(candles, length), given, float(tolerance))
    _check_overlap(sheet)
    told = given_pairs(given, columns or {})
    bars = [*told, *bar_pairs(given, told)]
    account, pairs = _account(sheet, bars)
    titles = title_of(given.columns)
    known = {pair.theirs.place for pair in pairs}
    unmatched = [titles[column.place] for column in given.columns if column.place not in known]
    return tell(sheet, attribute(sheet, account, pairs), pairs, [*unmatched, *given.other])


def _account(sheet: Sheet, bars: list[Pair]) -> tuple[Account, list[Pair]]:
    """Steps 1 to 4."""

    def match(account: Account) -> list[Pair]:
        return indicator_pairs(sheet, account, bars, quick=True)

    priced = any(pair.meaning.column in PRICES for pair in bars)
    score = by_prices(sheet, bars) if priced else by_indicators(sheet, match)
    account = edited(sheet, frame(sheet, bars, score), bars)
    pairs = [*bars, *indicator_pairs(sheet, account, bars)]
    if not pairs:
        raise _no_column(sheet.reference)
    return settle(sheet, account, pairs), pairs


def _no_column(reference: Reference) -> InputError:
    titles = ", ".join(column.title for column in reference.columns)
    if titles:
        expected = f"say which is which with columns; it has: {titles}"
        return InputError("reference", reference.name, expected, "has no column of ours")
    other = ", ".join(filter(None, reference.other)) or "none"
    expected = f"write numbers as 1234.5: a point, and nothing between thousands; its other columns: {other}"
    return InputError("reference", reference.name, expected, "has no column of numbers")


def _ours(
    ours: Candles | CandleRepository, symbol: str | None, timeframe: str | Timeframe | None
) -> tuple[Candles, Timeframe]:
    if isinstance(ours, Candles):
        return ours, ours.timeframe if timeframe is None else Timeframe.parse(timeframe)
    if symbol is None or timeframe is None:
        missing = "symbol" if symbol is None else "timeframe"
        raise InputError(missing, None, "give it: a store has several", "is missing")
    length = Timeframe.parse(timeframe)
    return ours.read(symbol, source_of(ours, symbol, length)), length


def _check_overlap(sheet: Sheet) -> None:
    time, bars = sheet.reference.time, sheet.ground.bars()
    if not len(time):
        raise InputError("reference", sheet.reference.name, "widen start and end", "has no row in the range")
    span = np.array([-1, 1]) * (sheet.ground.timeframe.microseconds or 7 * 86_400_000_000)
    if time[-1] < bars.microseconds[0] + span[0] or time[0] > bars.microseconds[-1] + span[1]:
        ours, theirs = (f"{iso(int(one[0]))} to {iso(int(one[-1]))}" for one in (bars.microseconds, time))
        raise InputError("reference", theirs, f"give rows within {ours}, which we have", "lies outside our series")

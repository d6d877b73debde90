"""Edits: what must be done to our bars to have theirs: bars left out, bars put in, values set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from candlewick.bars import Bars
from candlewick.candles import VALUES
from candlewick.columnar import Floats, Integers
from candlewick.compare.ground import Ground, Way, flat
from candlewick.errors import HorizonError

MISSING, ZERO_VOLUME, SOURCE, HOURS = "missing_bar", "zero_volume", "source", "session"
"""Why: a bar or candle is missing on one side; a bar without a trade is left out or made up; the values of a bar come
from another source; a bar lies outside our sessions."""


@dataclass(frozen=True)
class Edit:
    """One bar: ``drop`` it, ``insert`` it or ``set`` some of its values.

    ``slack``: how far a value that we read may be off, since it was rounded. ``hidden``: solved from indicators, while
    the bar's own columns show nothing. ``candle``: one side lacks not the whole bar but a candle inside it.
    """

    time: int
    action: str
    cause: str
    values: tuple[tuple[str, float], ...] = ()
    detail: str = ""
    slack: float = 0.0
    hidden: bool = False
    candle: bool = False


def applied(bars: Bars, edits: Iterable[Edit], ground: Ground, lean: float = 0.0) -> Bars:
    """Our bars after the edits. ``lean``: values read are moved by so many times their slack."""
    given = list(edits)
    if not given:
        return bars
    time = bars.microseconds
    values = {name: getattr(bars, name).copy() for name in VALUES}
    keep = np.ones(len(time), dtype=np.bool_)
    fresh: list[Edit] = []
    for edit in given:
        at = int(np.searchsorted(time, edit.time))
        there = at < len(time) and time[at] == edit.time
        if edit.action == "insert" and not there:
            fresh.append(edit)
        elif edit.action == "drop" and there:
            keep[at] = False
        elif there:
            for name, value in edit.values:
                values[name][at] = value + (lean * edit.slack if name != "volume" else 0.0)
    time = np.concatenate([time[keep], np.array([edit.time for edit in fresh], dtype=np.int64)])
    order = np.argsort(time, kind="stable")
    made = {}
    for name in VALUES:
        put = [dict(edit.values)[name] + (lean * edit.slack if name != "volume" else 0.0) for edit in fresh]
        made[name] = np.concatenate([values[name][keep], np.array(put, dtype=np.float64)])[order]
    return ground.sheet(time[order], made)


@dataclass(frozen=True, eq=False)
class Shown:
    """The bar columns of a reference by role, the opens that its rows stand for, and how far each may be off."""

    opened: Integers
    values: Mapping[str, Floats]
    slack: Mapping[str, Floats]
    tolerance: float


def found(shown: Shown, bars: Bars, ground: Ground, way: Way) -> list[Edit]:
    """Every difference between our bars and those shown, within the span of both."""
    inside = (shown.opened >= bars.microseconds[0]) & (shown.opened <= bars.microseconds[-1])
    opened = shown.opened[inside]
    if not len(opened):
        return []
    rows = np.flatnonzero(inside)
    return sorted(
        [*_dropped(opened, bars), *_inserted(shown, rows, bars, ground), *_set(shown, rows, bars, ground, way)],
        key=lambda edit: edit.time,
    )


def _dropped(opened: Integers, bars: Bars) -> Iterator[Edit]:
    """Bars of ours, between the first and last row, that are not shown."""
    time = bars.microseconds
    span = (time > opened.min()) & (time < opened.max())
    gone = span & ~np.isin(time, opened)
    made_up = flat(bars)
    for at in np.flatnonzero(gone).tolist():
        cause = ZERO_VOLUME if made_up[at] else MISSING
        yield Edit(int(time[at]), "drop", cause, detail="the reference has no such bar")


def _inserted(shown: Shown, rows: Integers, bars: Bars, ground: Ground) -> Iterator[Edit]:
    """Rows where we have no bar. Without prices of its own such a row is taken to be flat at the close before it."""
    time = bars.microseconds
    new = rows[~np.isin(shown.opened[rows], time)]
    open_then = _in_session(ground, shown.opened[new])
    for row, open_hours in zip(new.tolist(), open_then.tolist(), strict=True):
        at = int(shown.opened[row])
        before = int(np.searchsorted(time, at)) - 1
        given = {name: float(column[row]) for name, column in shown.values.items() if np.isfinite(column[row])}
        close = given.get("close", float(bars.close[max(before, 0)]))
        values = {"open": close, "high": close, "low": close, "volume": 0.0} | given | {"close": close}
        level = values["high"] == values["low"]
        quiet = given["volume"] == 0 if "volume" in given else close == float(bars.close[max(before, 0)])
        cause = HOURS if not open_hours else ZERO_VOLUME if level and quiet else MISSING
        slack = max((float(half[row]) for name, half in shown.slack.items() if name != "volume"), default=0.0)
        yield Edit(at, "insert", cause, tuple(values.items()), "we have no such bar", slack)


def _set(shown: Shown, rows: Integers, bars: Bars, ground: Ground, way: Way) -> Iterator[Edit]:
    """Bars that both have, with other values. Where leaving out some of our candles gives theirs, those are missing."""
    time = bars.microseconds
    here = rows[np.isin(shown.opened[rows], time)]
    at = np.searchsorted(time, shown.opened[here])
    differs: dict[str, npt.NDArray[np.bool_]] = {}
    for name, column in shown.values.items():
        ours = getattr(bars, name)[at]
        limit = shown.tolerance * np.maximum(np.abs(ours), np.abs(column[here])) + shown.slack[name][here] * (1 + 1e-6)
        differs[name] = np.isfinite(column[here]) & (np.abs(column[here] - ours) > limit)
    some = np.zeros(len(here), dtype=np.bool_)
    for one in differs.values():
        some |= one
    for place in np.flatnonzero(some).tolist():
        row, bar = int(here[place]), int(at[place])
        values = tuple((name, float(shown.values[name][row])) for name, bad in differs.items() if bad[place])
        slack = max(float(shown.slack[name][row]) for name, _ in values)
        cause, detail = _why_set(shown, row, bars, bar)
        inner = _without_a_candle(shown, row, bars, bar, ground, way) if cause == SOURCE else None
        if inner is not None:
            cause, detail = inner
        reached = reaching(bars, bar, values, shown.values)
        yield Edit(int(time[bar]), "set", cause, reached, detail, slack, candle=inner is not None)


def _why_set(shown: Shown, row: int, bars: Bars, bar: int) -> tuple[str, str]:
    """One side has a trade in this bar and the other has none, or theirs opens with a candle that was made up: or else
    the values come from another source."""
    theirs = {name: float(column[row]) for name, column in shown.values.items()}
    if _opens_made_up(shown, row, bars, bar, theirs):
        return ZERO_VOLUME, "it opens at the close before, with a candle without a trade that we do not have"
    if "volume" not in shown.values:
        return SOURCE, ""
    level = theirs.get("high", theirs.get("close")) == theirs.get("low", theirs.get("close"))
    quiet_ours = bool(flat(bars)[bar])
    quiet_theirs = level and theirs["volume"] == 0
    if quiet_theirs == quiet_ours:
        return SOURCE, ""
    return ZERO_VOLUME, f"{'the reference has' if quiet_theirs else 'we have'} no trade in this bar"


def _opens_made_up(shown: Shown, row: int, bars: Bars, bar: int, theirs: Mapping[str, float]) -> bool:
    """True where theirs is our bar with a flat candle at the close before put in front."""
    if bar == 0 or "open" not in theirs:
        return False
    before = float(bars.close[bar - 1])
    ours = {name: float(getattr(bars, name)[bar]) for name in VALUES}
    made = {"open": before, "high": max(ours["high"], before), "low": min(ours["low"], before)}
    return before != ours["open"] and all(_near(shown, name, row, (ours | made)[name]) for name in theirs)


def reaching(
    bars: Bars, bar: int, values: tuple[tuple[str, float], ...], known: Collection[str]
) -> tuple[tuple[str, float], ...]:
    """The values of a bar with its high and low, where the reference does not show them, reaching to its close."""
    given = dict(values)
    close = given.get("close", float(bars.close[bar]))
    if "high" not in known and close > bars.high[bar]:
        given["high"] = close
    if "low" not in known and close < bars.low[bar]:
        given["low"] = close
    return tuple(given.items())


def _without_a_candle(shown: Shown, row: int, bars: Bars, bar: int, ground: Ground, way: Way) -> tuple[str, str] | None:
    """Which of our candles inside a bar must be left out to have the bar that is shown: one, or all without a trade."""
    candles = ground.candles
    if way != Way() or len(shown.values) < len(VALUES) or bars.n[bar] < 2:
        return None
    start = int(bars.microseconds[bar])
    end = int(bars.microseconds[bar + 1]) if bar + 1 < len(bars) else start + ground.timeframe.microseconds
    if ground.timeframe.intraday:
        end = min(end, start + ground.timeframe.microseconds)
    first, last = (int(at) for at in np.searchsorted(candles.microseconds, [start, end]))
    if last - first > 1500:
        return None
    inside = {name: getattr(candles, name)[first:last] for name in VALUES}
    made_up = flat(candles)[first:last]
    sets = [(ZERO_VOLUME, ~made_up)] if made_up.any() and not made_up.all() else []
    for gone in range(last - first):
        sets.append((ZERO_VOLUME if made_up[gone] else MISSING, np.arange(last - first) != gone))
    for cause, stay in sets:
        left = {name: column[stay] for name, column in inside.items()}
        bar_then = {
            "open": left["open"][0],
            "high": left["high"].max(),
            "low": left["low"].min(),
            "close": left["close"][-1],
            "volume": left["volume"].sum(),
        }
        if all(_near(shown, name, row, float(value)) for name, value in bar_then.items()):
            when = candles.time[first:last][~stay]
            return cause, f"without our candle of {', '.join(f'{at}Z'[:16] + 'Z' for at in when)} it is theirs"
    return None


def _near(shown: Shown, name: str, row: int, value: float) -> bool:
    theirs = float(shown.values[name][row])
    limit = shown.tolerance * max(abs(theirs), abs(value)) + float(shown.slack[name][row]) * (1 + 1e-6)
    return abs(theirs - value) <= limit


def _in_session(ground: Ground, times: Integers) -> npt.NDArray[np.bool_]:
    try:
        return ground.calendar.inside(times)
    except HorizonError:
        return np.ones(len(times), dtype=np.bool_)


def of_causes(edits: Iterable[Edit], causes: Collection[str]) -> tuple[Edit, ...]:
    """Those with one of these causes."""
    return tuple(edit for edit in edits if edit.cause in causes)

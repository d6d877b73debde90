"""Telling: an attributed account in words and figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from candlewick.bars import Bars
from candlewick.candles import VALUES
from candlewick.compare.account import (
    BUCKETS,
    HISTORY,
    LABELS,
    OFF_BY_ONE,
    ROUNDING,
    UNDEFINED,
    Account,
    Pair,
    way_says,
)
from candlewick.compare.attribution import Attributed, Effect
from candlewick.compare.comparison import FIRST, Cause, Comparison, DifferingRow, Figure, Match
from candlewick.compare.edits import HOURS, MISSING, SOURCE, ZERO_VOLUME, Edit, of_causes
from candlewick.compare.formulas import SAYS, formulas_of
from candlewick.compare.labels import candidates
from candlewick.compare.sheet import Sheet
from candlewick.compare.solve import alone

KINDS = {BUCKETS: "session", OFF_BY_ONE: "labels"}
"""Kinds that are not named as the cause is; formulas are all of one kind."""
PROPORTION = 3
"""Bars from which on one proportion to ours is told."""
SOLVED = 20
"""Values without an explanation for which the close that would explain them is solved."""


def tell(sheet: Sheet, found: Attributed, pairs: Sequence[Pair], unmatched: Iterable[str]) -> Comparison:
    """The result for the caller."""
    reference, bars = sheet.reference, sheet.ground.bars()
    titles = title_of(reference.columns)
    causes = sorted((_cause(sheet, found, effect, pairs) for effect in found.effects), key=lambda one: -one.rows)
    differing = sorted([*_rows(sheet, found, pairs, titles), *_dropped(found.account)], key=lambda one: one.time)
    dropped = sum(edit.action == "drop" for edit in of_causes(found.account.edits, found.account.causes))
    compared = int(found.compared.sum()) + dropped
    return Comparison(
        symbol=bars.symbol,
        timeframe=str(bars.timeframe),
        reference=reference.name,
        matched=tuple(Match(titles[pair.theirs.place], pair.meaning.column, pair.how) for pair in pairs),
        unmatched=tuple(unmatched),
        rows=compared,
        equal=compared - len(differing),
        beyond=int((~found.compared).sum()),
        refused=tuple((one.line, one.reason) for one in reference.refused),
        causes=tuple(causes),
        differing=tuple(differing),
    )


def title_of(columns: Sequence[Any]) -> Mapping[int, str]:
    """Titles by place; the second of one title is ``Title#2``."""
    counted: dict[str, int] = {}
    result = {}
    for column in columns:
        counted[column.title] = counted.get(column.title, 0) + 1
        count = counted[column.title]
        result[column.place] = column.title if count == 1 else f"{column.title}#{count}"
    return result


def iso(time: int) -> str:
    """Microseconds as ISO UTC."""
    return f"{str(np.datetime64(time, 'us')).removesuffix('.000000')}Z"


def _cause(sheet: Sheet, found: Attributed, effect: Effect, pairs: Sequence[Pair]) -> Cause:
    account, name = found.account, effect.name
    edits = of_causes(account.edits, {name}) + (account.solved if name == SOURCE else ())
    times = [int(sheet.reference.time[row]) for row in np.flatnonzero(effect.rows)]
    gone = [edit.time for edit in edits if edit.action == "drop"]
    columns = tuple(pair.meaning.column for place, pair in enumerate(pairs) if effect.cells[place].any())
    return Cause(
        kind="formula" if name in SAYS else KINDS.get(name, name),
        name=name,
        says=_says(account, name, edits, pairs, columns, sheet.ground.bars(account.way)),
        rows=len(times) + len(gone),
        first=tuple(iso(time) for time in sorted([*times[:FIRST], *gone[:FIRST]])[:FIRST]),
        columns=columns,
        before=effect.before,
        after=effect.after,
        evidence=tuple(_evidence(sheet, found, name, edits, pairs, effect)),
        also=tuple(_also(sheet, found, name, pairs)),
    )


def _says(
    account: Account, name: str, edits: Sequence[Edit], pairs: Sequence[Pair], columns: Sequence[str], bars: Bars
) -> str:
    if name in SAYS:
        return SAYS[name]
    if name == LABELS:
        return f"the reference's rows are {account.labels}"
    if name == BUCKETS:
        return way_says(account.way)
    if name == OFF_BY_ONE:
        count = f"{abs(account.way.minutes)} minute{'s' if abs(account.way.minutes) > 1 else ''}"
        return (
            f"candles went into their bars {count} {'later' if account.way.minutes > 0 else 'earlier'} than their open"
        )
    if name == HISTORY:
        if account.origin is not None:
            return f"their history begins at {iso(account.origin)}: warm-up and recursions start there"
        return "their history begins elsewhere: a recursion still carries what came before, or ours still warms up"
    if name == UNDEFINED:
        return f"undefined values are shown as {', '.join(f'{one:g}' for one in sorted(set(account.fills.values())))}"
    if name == ROUNDING:
        digits = {str(pair.theirs.written) for pair in pairs if pair.meaning.column in columns}
        return f"rounded to {' or '.join(sorted(digits))}"
    return _edits_say(account, name, edits, bars)


def _edits_say(account: Account, name: str, edits: Sequence[Edit], bars: Bars) -> str:
    theirs = sum(edit.action == "drop" for edit in edits)
    ours = sum(edit.action == "insert" for edit in edits)
    inner = sum(edit.action == "set" for edit in edits)
    what = {
        MISSING: "bar",
        ZERO_VOLUME: "bar without a trade (flat, no volume)",
        HOURS: "row outside our sessions",
        SOURCE: "bar with values from another source",
    }[name]
    parts = []
    if name == ZERO_VOLUME and account.way.drop:
        parts.append("candles without a trade (flat, no volume) are left out of their bars")
    if theirs:
        parts.append(f"{_count(theirs, what)} of ours missing in the reference")
    if ours:
        parts.append(f"{_count(ours, what)} in the reference that we do not have")
    if inner and name == SOURCE:
        parts.append(_count(inner, what) + _factors(edits, bars))
    elif inner:
        within = sum(edit.action == "set" and bool(edit.candle) for edit in edits)
        if within:
            parts.append(f"{_count(within, 'bar made')} without a candle that we have")
        if inner > within:
            parts.append(f"{_count(inner - within, 'bar')} in which only one side has a candle without a trade")
    left_out = (
        ""
        if name in account.effective or account.way.drop or (name == SOURCE and account.solved)
        else "; indicators do not show it"
    )
    return ", ".join(parts) + left_out


def _factors(edits: Sequence[Edit], bars: Bars) -> str:
    """Fields that stand in one proportion to ours in all of these bars: volume in lots, prices adjusted for a split."""
    told = []
    for field in VALUES:
        given = [(edit.time, value) for edit in edits for name, value in edit.values if name == field]
        at = np.searchsorted(bars.microseconds, [time for time, _ in given])
        ours, theirs = getattr(bars, field)[at], np.array([value for _, value in given])
        factors = theirs[ours != 0] / ours[ours != 0]
        if len(given) >= PROPORTION and len(factors) and np.ptp(factors) <= 1e-6 * abs(float(factors[0])):
            told.append(f"{field} is {float(np.median(factors)):.6g} times ours")
    return f" ({', '.join(told)})" if told else ""


def _count(number: int, what: str) -> str:
    first, _, rest = what.partition(" ")
    return f"{number} {first}{'s' if number > 1 else ''}{' ' + rest if rest else ''}"


def _evidence(
    sheet: Sheet, found: Attributed, name: str, edits: Sequence[Edit], pairs: Sequence[Pair], effect: Effect
) -> Iterable[Mapping[str, Any]]:
    if name == ROUNDING:
        for place, pair in enumerate(pairs):
            if effect.cells[place].any():
                written = pair.theirs.written
                yield {
                    "column": pair.meaning.column,
                    "decimals": written.decimals,
                    "rows": int(effect.cells[place].sum()),
                }
    bars = sheet.ground.bars(found.account.way)
    for edit in edits:
        at = int(np.searchsorted(bars.microseconds, edit.time))
        ours = {field: float(getattr(bars, field)[at]) for field, _ in edit.values} if edit.action == "set" else {}
        yield {
            "bar": iso(edit.time),
            "action": edit.action,
            "theirs": dict(edit.values),
            "ours": ours,
            "solved": edit.hidden,
            "detail": edit.detail,
        }


def _also(sheet: Sheet, found: Attributed, name: str, pairs: Sequence[Pair]) -> Iterable[str]:
    """Other readings of labels that put every row where this one does; other formulas that explain as much."""
    account = found.account
    if name == LABELS:
        opened = sheet.opened(account)
        for other in candidates(sheet.ground):
            if other != account.labels:
                same = other.opened(sheet.reference.time, sheet.ground, account.way) == opened
                if bool(same.all()):
                    yield str(other)
    for one in SAYS if name in SAYS else ():
        if one not in account.names and all(_as_well(sheet, account, name, one, pair) for pair in pairs):
            yield SAYS[one]


def _as_well(sheet: Sheet, account: Account, name: str, other: str, pair: Pair) -> bool:
    """True where a column agrees as well with ``other`` in the place of ``name``."""
    formula = account.formulas.get(pair.theirs.place)
    if formula is None or name not in formula.names:
        return True
    wanted = {*formula.names, other} - {name}
    for one in formulas_of(pair.meaning):
        if set(one.names) == wanted:
            changed = replace(account, formulas={**account.formulas, pair.theirs.place: one})
            return bool((sheet.judge(changed, pair).agrees == sheet.judge(account, pair).agrees).all())
    return False


def _rows(sheet: Sheet, found: Attributed, pairs: Sequence[Pair], titles: Mapping[int, str]) -> Iterable[DifferingRow]:
    solved = 0
    left = ~found.whole.agrees
    for row in np.flatnonzero(found.differs | (left.any(axis=0) & found.compared)).tolist():
        figures = []
        for place, pair in enumerate(pairs):
            if found.nothing.agrees[place, row] and not left[place, row]:
                continue
            close = None
            if left[place, row] and solved < SOLVED:
                close = alone(sheet, found.account, pair, row)
                solved += 1
            figures.append(
                Figure(
                    titles[pair.theirs.place],
                    _number(pair.theirs.values[row]),
                    _number(found.nothing.judged[place].expected[row]),
                    _number(found.whole.judged[place].expected[row]),
                    not left[place, row],
                    close,
                )
            )
        explained = not left[:, row].any()
        yield DifferingRow(iso(int(sheet.reference.time[row])), found.causes_of(row), explained, tuple(figures))


def _dropped(account: Account) -> Iterable[DifferingRow]:
    for edit in of_causes(account.edits, account.causes):
        if edit.action == "drop":
            yield DifferingRow(iso(edit.time), (edit.cause,), True, (), edit.detail)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

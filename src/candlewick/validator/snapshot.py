"""Snapshot: the store's series, checked row by row and copied into a temporary store, where load does no harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from candlewick.candles import VALUES, Candles, check_rows
from candlewick.errors import InputError
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository, Series

BATCH = 50
"""Series written in one transaction of the copy."""


@dataclass(frozen=True)
class Unsound:
    """A stored series that breaks what every series promises, and how."""

    symbol: str
    timeframe: str
    problem: str


@dataclass(frozen=True)
class Snapshot:
    """``url``: the temporary store. ``series``: what it holds. ``stored``: how many the store itself has.

    ``unsound`` series are in no copy: nothing could be said about answers made of them.
    """

    url: str
    series: tuple[Series, ...]
    stored: int
    unsound: tuple[Unsound, ...]

    @property
    def extent(self) -> str:
        """How much of the store the copy covers, in words."""
        rows = sum(one.rows for one in self.series)
        return f"{len(self.series)} of {self.stored} series, {rows:,} candles"


def take_snapshot(
    store: CandleRepository,
    path: Path,
    *,
    series: int | None = None,
    rows: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Snapshot:
    """Check every series of ``store``; copy at most ``series`` of them, evenly spread, and their newest ``rows``.

    The store is only read. Raises StoreError when it cannot be.
    """
    stored = store.series()
    wanted = {id(one) for one in spread(stored, series)}
    unsound: list[Unsound] = []
    with open_store(path) as copy:
        for group in _groups(store, stored, wanted, rows, unsound, progress):
            copy.upsert_many(group)
        held = tuple(copy.series())
        url = copy.url
    return Snapshot(url, held, len(stored), tuple(unsound))


def problem_of(candles: Candles) -> str | None:
    """What is wrong with stored candles: the first row that is not sound, or that stands before the one above it."""
    steps = np.diff(candles.microseconds)
    if len(steps) and steps.min() <= 0:
        row = int(np.argmax(steps <= 0)) + 1
        return f"time[{row}]: {candles.time[row]} is not after the row above it"
    try:
        check_rows({name: getattr(candles, name) for name in VALUES})
    except InputError as error:
        return str(error)
    return None


def spread(stored: list[Series], most: int | None) -> list[Series]:
    """At most ``most`` of them, the first and the last among them where more than one may be."""
    if most is None or len(stored) <= most:
        return stored
    return [stored[round(place)] for place in np.linspace(0, len(stored) - 1, most)]


def _groups(
    store: CandleRepository,
    stored: list[Series],
    wanted: set[int],
    rows: int | None,
    unsound: list[Unsound],
    progress: Callable[[str], None],
) -> Iterator[list[Candles]]:
    group: list[Candles] = []
    for number, one in enumerate(stored):
        progress(f"snapshot: series {number + 1} of {len(stored)}")
        candles = store.read(one.symbol, one.timeframe)
        problem = problem_of(candles)
        if problem is not None:
            unsound.append(Unsound(one.symbol, str(one.timeframe), problem))
        elif id(one) in wanted and len(candles):
            group.append(candles if rows is None else candles.rows(max(0, len(candles) - rows), len(candles)))
        if len(group) == BATCH:
            yield group
            group = []
    if group:
        yield group

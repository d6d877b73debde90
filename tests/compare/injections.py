"""Injections: what is put into an export on purpose, and what must then be named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tests.compare.exports import Export, closes, quiet, rebuilt, sampled, with_close, without

from candlewick.candles import Candles

Made = Callable[[Candles], tuple[Candles, Export]]


@dataclass(frozen=True)
class Injection:
    """``made``: our candles and their export; ``name``: the cause that must be found."""

    name: str
    made: Made


def middle(candles: Candles) -> int:
    """A row with history before it and rows behind it."""
    return len(candles) // 2


def quiet_rows(candles: Candles) -> list[int]:
    """Five rows about the middle."""
    return [middle(candles) + step for step in range(-20, 30, 10)]


def changed(candles: Candles) -> float:
    """Another close for the middle row."""
    return round(float(candles.close[middle(candles)]) * 1.013, 2)


def _zero_dropped(candles: Candles) -> tuple[Candles, Export]:
    ours = quiet(candles, quiet_rows(candles))
    return ours, Export.of(rebuilt(ours, ~np.isin(np.arange(len(ours)), quiet_rows(ours))))


def _zero_made(candles: Candles) -> tuple[Candles, Export]:
    theirs = quiet(candles, quiet_rows(candles))
    return rebuilt(theirs, ~np.isin(np.arange(len(theirs)), quiet_rows(theirs))), Export.of(theirs)


def _later(candles: Candles) -> tuple[Candles, Export]:
    export = Export.of(candles)
    return candles, export.rows(slice(0, -1)).stamped(export.time[1:])


def _earlier(candles: Candles) -> tuple[Candles, Export]:
    export = Export.of(candles)
    return candles, export.rows(slice(1, None)).stamped(export.time[:-1])


def _closed(candles: Candles) -> tuple[Candles, Export]:
    export = Export.of(candles)
    return candles, export.stamped(closes(candles, export))


def _hidden(candles: Candles) -> tuple[Candles, Export]:
    return candles, Export.of(with_close(candles, middle(candles), changed(candles)), bars=False)


INJECTIONS: dict[str, Injection] = {
    "sample deviation": Injection("sample_deviation", lambda c: (c, sampled(Export.of(c)))),
    "one missing bar": Injection("missing_bar", lambda c: (c, Export.of(without(c, middle(c))))),
    "one missing row": Injection("missing_bar", lambda c: (c, Export.of(c).rows(np.arange(len(c)) != middle(c)))),
    "one bar that we miss": Injection("missing_bar", lambda c: (without(c, middle(c)), Export.of(c))),
    "five zero-volume bars left out": Injection("zero_volume", _zero_dropped),
    "five zero-volume bars made up": Injection("zero_volume", _zero_made),
    "five bars without volume": Injection("zero_volume", lambda c: (c, Export.of(quiet(c, quiet_rows(c))))),
    "one changed close": Injection("source", lambda c: (c, Export.of(with_close(c, middle(c), changed(c))))),
    "one changed close that no column shows": Injection("source", _hidden),
    "labels one bar late": Injection("labels", _later),
    "labels one bar early": Injection("labels", _earlier),
    "close-stamped": Injection("labels", _closed),
    "history cut": Injection("history", lambda c: (c, Export.of(c.rows(len(c) // 3, len(c))))),
    "history of ours cut": Injection(
        "history", lambda c: (c.rows(len(c) // 3, len(c)), Export.of(c).rows(slice(len(c) // 3, None)))
    ),
    "rounding to 2 digits": Injection("rounding", lambda c: (c, Export.of(c).rounded(2))),
}

"""Remembered: an answer of history outlives what is written behind it, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from threading import RLock
from typing import Any

import pytest

from candlewick.cache.reading import Still
from candlewick.cache.remembered import UNKNOWN, Encoded, Remembered
from candlewick.store.repository import Series, Snapshot
from candlewick.timeframe import Timeframe

ONE, FIVE = Timeframe.parse("1m"), Timeframe.parse("5m")
THEN = Series("S", ONE, "24/7", 100, 0, 90, 3, 0)
NOW = replace(THEN, rows=110, last=120, revision=9)
BASE: dict[str, Any] = {
    "value": "answer", "nbytes": 8, "stored": [THEN], "series": THEN, "sessions": None, "until": 91, "forming": 0,
    "starts": 50, "ends": 80, "revision": 2, "settled": 80,
}  # fmt: skip


class Writes(Still):
    """A store of which only one thing is asked: the revision of the last write that could matter."""

    def __init__(self, revision: int) -> None:
        super().__init__(Snapshot(NOW, None))  # type: ignore[arg-type]
        self.revision = revision

    def revision_before(self, _symbol: str, _timeframe: Timeframe, end: int | None = None, /) -> int:
        assert end == 80
        return self.revision


def remembered(**other: Any) -> Remembered:
    return Remembered(encoded=Encoded(RLock()), **(BASE | other))


@pytest.mark.parametrize(
    ("other", "stored", "until", "revision", "stays"),
    [
        ({}, [NOW], None, 2, True),
        ({}, [NOW], 85, 2, True),
        ({}, [NOW], None, 5, False),  # written to before its end
        ({"settled": None}, [NOW], None, 2, False),  # without an end
        ({}, [NOW, replace(NOW, timeframe=FIVE)], None, 2, False),  # another series may serve now
        ({}, [replace(NOW, timeframe=FIVE)], None, 2, False),
        ({}, [], None, 2, False),
        ({}, [replace(NOW, calendar="XNYS")], None, 2, False),
        ({}, [NOW], 79, 2, False),  # its last bar is forming now
        ({"forming": 1}, [NOW], None, 2, False),  # its last bar is final now
        ({"forming": 1}, [replace(NOW, last=70)], 79, 2, True),
        ({}, [replace(NOW, last=79)], None, 2, False),  # perhaps it is not final any more
        ({}, [replace(NOW, last=79)], 80, 2, True),
    ],
)
def test_what_is_written_behind_it_leaves_it(
    other: dict[str, Any], stored: list[Series], until: int | None, revision: int, stays: bool
) -> None:
    renewed = remembered(**other).renewed(stored, until, Writes(revision))
    assert (renewed is not None) is stays
    if renewed is not None:
        assert (renewed.value, renewed.stored, renewed.series) == ("answer", stored, stored[0])
        assert renewed.until == (stored[0].last if stored[0].last >= 80 else UNKNOWN)
        assert renewed.holds_at(None) is (stored[0].last >= 80)


def test_encoded_forms_tell_by_how_much_they_grow() -> None:
    told: list[int] = []
    encoded = Encoded(RLock())
    encoded["json"] = b"four"
    encoded.grown = told.append
    encoded["json"] = b"sixsix"
    encoded["arrow"] = b"x"
    encoded["arrow"] = b""
    assert told == [2, 1, -1]
    assert encoded.nbytes == 6

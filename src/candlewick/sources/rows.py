"""Rows: a piece of a file as columns, every data line of it exactly once, the bad ones marked with what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from candlewick.columnar import Floats, Integers

Codes = npt.NDArray[np.uint8]

SHOWN = 1000
"""Characters of a refused row that are kept."""


class Reason(IntEnum):
    """Why a row is refused. The phrases are stable: users filter by them."""

    SOUND = 0
    TOO_FEW_FIELDS = 1
    TOO_MANY_FIELDS = 2
    NOT_TEXT = 3
    UNREADABLE_TIME = 4
    NO_TIMEZONE = 5
    ANOTHER_UNIT = 6
    AMBIGUOUS_TIME = 7
    NONEXISTENT_TIME = 8
    NO_TIME_OF_DAY = 9
    NO_SESSION = 10
    BEYOND_CALENDAR = 11
    NO_SYMBOL = 12
    ANOTHER_SYMBOL = 13
    NOT_A_NUMBER = 14
    HIGH_TOO_LOW = 15
    LOW_TOO_HIGH = 16
    NEGATIVE_VOLUME = 17
    CONFLICTING_DUPLICATE = 18
    NOT_AN_OBJECT = 19

    @property
    def phrase(self) -> str:
        """What users see."""
        return _PHRASES[self]


_PHRASES = {
    Reason.SOUND: "sound",
    Reason.TOO_FEW_FIELDS: "too few fields",
    Reason.TOO_MANY_FIELDS: "too many fields",
    Reason.NOT_TEXT: "not UTF-8 text",
    Reason.UNREADABLE_TIME: "unreadable time",
    Reason.NO_TIMEZONE: "time without a timezone",
    Reason.ANOTHER_UNIT: "time in another unit than the file's first",
    Reason.AMBIGUOUS_TIME: "ambiguous local time (clocks were set back)",
    Reason.NONEXISTENT_TIME: "local time that does not exist (clocks were set forward)",
    Reason.NO_TIME_OF_DAY: "date without a time of day",
    Reason.NO_SESSION: "no session on this date",
    Reason.BEYOND_CALENDAR: "beyond the dates that the calendar knows",
    Reason.NO_SYMBOL: "no symbol",
    Reason.ANOTHER_SYMBOL: "another symbol than asked for",
    Reason.NOT_A_NUMBER: "not a number",
    Reason.HIGH_TOO_LOW: "high below open or close",
    Reason.LOW_TOO_HIGH: "low above open or close",
    Reason.NEGATIVE_VOLUME: "negative volume",
    Reason.CONFLICTING_DUPLICATE: "conflicting duplicate",
    Reason.NOT_AN_OBJECT: "not a JSON object",
}


@dataclass(frozen=True)
class Rows:
    """Equally long columns. ``symbol`` holds positions in ``names``; ``time`` int64 microseconds UTC, meaningless where
    ``problem`` (a Reason) is set; ``line`` the physical line or row number; ``raw`` gives a row as it stood in the
    file; ``done`` is how many bytes of the file are behind these rows."""

    names: Sequence[str]
    symbol: npt.NDArray[np.int32]
    time: Integers
    values: Mapping[str, Floats]
    line: Integers
    problem: Codes
    raw: Callable[[int], str]
    done: int

    def __len__(self) -> int:
        return len(self.line)


def shortened(text: str) -> str:
    """A refused row as it is kept."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."

"""Rows in quarantine: placed by what their text says, and forgotten once mended."""

from __future__ import annotations

import numpy as np
import pytest
from tests.completeness.conftest import at

from candlewick.completeness.finding import Kind
from candlewick.completeness.refused import refused, time_of
from candlewick.sessions.calendar import find_calendar
from candlewick.store.repository import QuarantinedRow
from candlewick.timeframe import MINUTE, Timeframe

NINE = at("2024-01-02T14:30:00Z")


def row(text: str, line: int = 2, reason: str = "not a number", file: str = "a.csv") -> QuarantinedRow:
    return QuarantinedRow("c", line, file, "A", reason, text, NINE)


def kinds(
    *rows: QuarantinedRow, start: int | None = None, end: int | None = None, stored: tuple[int, ...] = ()
) -> list[tuple[Kind, int]]:
    found = refused(
        rows, "A", Timeframe.parse("1m"), find_calendar("XNYS"), np.array(stored, dtype=np.int64), start, end
    )
    return [(one.kind, one.count) for one in found]


@pytest.mark.parametrize(
    "text",
    [
        "A,2024-01-02T09:30:00-05:00,1,2,3",
        "A;2024-01-02 09:30;1",
        "2024-01-02 14:30:00Z,1",
        "A,1704205800,1",
        "A,1704205800000,1.5",
        "1704205800000000,2",
        "1704205800000000000",
    ],
)
def test_the_first_field_that_reads_as_a_time_places_a_row(text: str) -> None:
    assert time_of(text, "America/New_York") == NINE


@pytest.mark.parametrize("text", ["A,x,1,2", "2024-13-45T09:30:00Z,1", "A,2024-01-02,1", "12345"])
def test_a_row_without_a_readable_time_has_none(text: str) -> None:
    assert time_of(text, "America/New_York") is None


def test_rows_are_told_by_file_and_sort_in_their_range() -> None:
    good = "A,1704205800,1"
    assert kinds(row(good), row(good, 3, "conflicting duplicate"), row(good, 4, file="b.csv")) == [
        (Kind.REFUSED, 1),
        (Kind.DUPLICATES, 1),
        (Kind.REFUSED, 1),
    ]
    assert not kinds(row(good), start=NINE + MINUTE)
    assert not kinds(row(good), end=NINE)
    assert kinds(row(good), start=NINE, end=NINE + 1)
    assert kinds(row("unreadable"), start=NINE + MINUTE) == [(Kind.REFUSED, 1)]


def test_a_mended_row_is_not_told_and_a_duplicate_stays() -> None:
    good = "A,1704205800,1"
    assert not kinds(row(good), stored=(NINE,))
    assert kinds(row(good), stored=(NINE + MINUTE,))
    assert kinds(row(good, 2, "conflicting duplicate"), stored=(NINE,)) == [(Kind.DUPLICATES, 1)]

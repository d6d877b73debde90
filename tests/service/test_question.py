"""Question: what an answer is remembered by and named after leaves nothing out."""

from __future__ import annotations

import datetime as dt
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from candlewick.service.question import name_of, view_key
from candlewick.service.range import Resolved
from candlewick.service.request import Request
from candlewick.sessions import find_calendar
from candlewick.store.repository import Series
from candlewick.timeframe import Timeframe

SERIES = Series("S", Timeframe.parse("1m"), "XNYS", 9, 0, 8, 4, 1)
RESOLVED = Resolved(SERIES, 1, 2, find_calendar("XNYS"))
REQUEST = Request.of("S", "5m", "sma(9),ema(5)", start=1, end=2)


def name(request: Request = REQUEST, resolved: Resolved = RESOLVED, revision: int = 4, final: int = 3) -> str:
    return name_of("optimized", request, resolved, revision, final)


CHANGED: dict[str, dict[str, Any]] = {
    "symbol": {"request": replace(REQUEST, symbol="T")},
    "timeframe": {"request": replace(REQUEST, timeframe=Timeframe.parse("10m"))},
    "indicators": {"request": Request.of("S", "5m", "ema(5),sma(9)", start=1, end=2)},
    "zero_volume": {"request": replace(REQUEST, zero_volume="drop")},
    "final_only": {"request": replace(REQUEST, final_only=True)},
    "source": {"resolved": replace(RESOLVED, series=replace(SERIES, timeframe=Timeframe.parse("5m")))},
    "calendar": {"resolved": replace(RESOLVED, calendar=find_calendar("XTKS"))},
    "low": {"resolved": replace(RESOLVED, low=None)},
    "high": {"resolved": replace(RESOLVED, high=None)},
    "revision": {"revision": 5},
    "final": {"final": 2},
}


def test_each_part_changes_the_name() -> None:
    names = [name(), *(name(**changed) for changed in CHANGED.values())]
    assert len(set(names)) == len(names)
    assert name_of("other", REQUEST, RESOLVED, 4, 3) not in names


def test_what_columns_do_not_depend_on_does_not() -> None:
    same = replace(REQUEST, limit=7, complete_until=9, start="1970-01-01T00:00:00.000001Z")
    later = replace(RESOLVED, series=replace(SERIES, rows=10, last=9, revision=8, generation=2))
    assert name(same, later) == name()


def test_a_view_is_of_one_series_and_form() -> None:
    keys = [view_key(REQUEST, RESOLVED)]
    keys += [
        view_key(changed.get("request", REQUEST), changed.get("resolved", RESOLVED))
        for part, changed in CHANGED.items()
        if part in ("symbol", "timeframe", "zero_volume", "source", "calendar")
    ]
    assert len(set(keys)) == 6
    assert view_key(CHANGED["low"].get("request", REQUEST), CHANGED["low"]["resolved"]) == keys[0]


@pytest.mark.parametrize(
    "changed",
    [
        {"symbol": "T"},
        {"timeframe": "6m"},
        {"indicators": "desk"},
        {"indicators": None},
        {"start": 2},
        {"start": None},
        {"start": True},
        {"start": np.datetime64(1, "us")},
        {"end": None},
        {"source": "1m"},
        {"zero_volume": "drop"},
        {"final_only": True},
        {"limit": 5},
    ],
)
def test_other_requests_are_other_questions(changed: dict[str, Any]) -> None:
    given: dict[str, Any] = {"symbol": "S", "timeframe": "5m", "indicators": "sma(9)", "start": 1, "end": 3}
    first, second = Request.of(**given), Request.of(**(given | changed))
    assert first.question != second.question
    assert first.question == Request.of(**given, complete_until=8).question


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.datetime64("2024-01-04"), np.datetime64("2024-01-04", "s")),
        (dt.date(2024, 1, 4), np.datetime64("2024-01-04", "s")),
        (1, True),
    ],
)
def test_equal_times_of_another_form_are_other_questions(one: Any, other: Any) -> None:
    assert Request.of("S", "5m", start=one).question != Request.of("S", "5m", start=other).question


def test_a_question_survives_the_way_to_another_process() -> None:
    asked = Request.of("S", "5m", "desk", start=1).question
    again = pickle.loads(pickle.dumps(asked))
    assert (again, hash(again)) == (asked, hash(asked))
    assert asked != "S"


def test_a_request_of_another_moment_is_the_same_question() -> None:
    request = Request.of("S", "5m", "desk", start=dt.date(2024, 1, 2), final_only=True)
    later = request.at(7)
    assert later == replace(request, complete_until=7)
    assert later.question is request.question
    assert request.complete_until is None

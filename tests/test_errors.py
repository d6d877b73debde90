"""The error tree: what each error says, carries and is."""

from __future__ import annotations

import copy
import datetime as dt
import inspect
import pickle

import pytest

from candlewick import errors
from candlewick.errors import (
    AccessError,
    CandlewickError,
    DeadlineError,
    EngineError,
    FileFormatError,
    HistoryError,
    HorizonError,
    InputError,
    KeyNeededError,
    KilledError,
    LimitError,
    MissingColumnError,
    NaiveTimeError,
    OverloadedError,
    RateLimitError,
    RoleError,
    ServiceError,
    StateError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
    StoreVersionError,
    UnknownNameError,
    UnknownSeriesError,
    UnreachableError,
)

EXAMPLES = [
    CandlewickError("plain"),
    InputError("volume[3]", -1.0, "volume is 0 or more", "is negative"),
    UnknownNameError("calendar", "XNYC", ["XNYS", "XNAS"]),
    NaiveTimeError("start", "2024-01-02T09:30"),
    MissingColumnError("table", "close", ["time", "open"]),
    FileFormatError("file", "a.csv", "give a CSV file", "is empty"),
    HistoryError("2024-01-02T09:00:00Z", "2024-02-01T00:00:00Z", "it is known from then on"),
    HorizonError("time", "2200-01-01", "give an earlier time"),
    StateError("state", b"x", "load what save gave"),
    LimitError(100, 101),
    ServiceError("not now"),
    DeadlineError(1.5),
    OverloadedError(256, 2.0),
    UnreachableError("http://127.0.0.1:1", "refused"),
    EngineError("optimized", "ZeroDivisionError", "division by zero"),
    AccessError("no"),
    KeyNeededError(),
    RoleError("viewer", "admin", "GET /v1/keys"),
    RateLimitError("requests", 200.0, 0.4),
    KilledError("killed"),
    StoreError("full"),
    StoreBusyError("duckdb:///a.db", "process 7"),
    StoreUnavailableError("postgresql://host/a", "connection refused"),
    StoreVersionError("newer"),
    UnknownSeriesError("symbol", "SPX", ["SPY"]),
]


def test_the_examples_cover_the_whole_tree() -> None:
    tree = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__}
    assert {type(example) for example in EXAMPLES} == tree
    assert all(issubclass(kind, CandlewickError) for kind in tree)


def test_the_drawing_names_every_error() -> None:
    assert errors.__doc__ is not None
    assert all(type(example).__name__ in errors.__doc__ for example in EXAMPLES)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_an_error_crosses_to_another_process_whole(error: CandlewickError, again: object) -> None:
    assert callable(again)
    other = again(error)
    assert type(other) is type(error)
    assert str(other) == str(error)
    assert vars(other) == vars(error)


def test_an_input_error_names_parameter_value_and_what_would_be_right() -> None:
    error = InputError("volume[3]", -1.0, "volume is 0 or more", "is negative")
    assert str(error) == "volume[3]: -1.0 is negative; volume is 0 or more"
    assert (error.parameter, error.value, error.expected, error.problem) == (
        "volume[3]",
        -1.0,
        "volume is 0 or more",
        "is negative",
    )
    assert str(InputError("a", 1, "give 2")) == "a: 1 is not valid; give 2"


def test_callers_catch_what_they_would_already_catch() -> None:
    assert isinstance(InputError("a", 1, "b"), ValueError)
    assert isinstance(UnknownSeriesError("symbol", "A", []), KeyError)
    assert not isinstance(StoreError("a"), ValueError)


def test_a_long_value_is_cut_in_the_message_and_kept_in_the_error() -> None:
    error = InputError("text", "x" * 5000, "be brief")
    assert len(str(error)) < 300
    assert "..." in str(error)
    assert error.value == "x" * 5000
    assert repr("x" * 198) in str(InputError("text", "x" * 198, "be brief"))


def test_an_unknown_name_shows_the_nearest_in_their_own_spelling() -> None:
    error = UnknownNameError("calendar", "xnyc", ["XNYS", "XNAS", "CMES"])
    assert error.nearest[0] == "XNYS"
    assert "nearest: XNYS" in str(error)
    assert "is unknown" in str(error)


def test_an_unknown_name_like_nothing_known_shows_all() -> None:
    error = UnknownNameError("unit", "qqqq", ["day", "hour"], expected="give a unit")
    assert error.nearest == []
    assert str(error) == "unit: 'qqqq' is unknown; give a unit; known: day, hour"


def test_a_missing_column_says_what_was_found_and_what_is_recognised() -> None:
    error = MissingColumnError("file", "close", ["a", "b"], ["close", "last"])
    assert str(error) == "file: 'close' column is missing; the columns found are: a, b; recognised for it: close, last"
    assert error.column == "close"
    assert "found are: none" in str(MissingColumnError("file", "close", []))


def test_a_naive_time_says_how_to_give_a_timezone() -> None:
    assert "-05:00" in str(NaiveTimeError("start", "2024-01-02T09:30"))
    assert str(NaiveTimeError("t", 1, "do this")) == "t: 1 has no timezone; do this"


def test_a_busy_store_says_who_has_it() -> None:
    error = StoreBusyError("duckdb:///a.db", "process 7 (candlewick serve)")
    assert "owned by process 7 (candlewick serve)" in str(error)
    assert error.url == "duckdb:///a.db"


def test_an_unknown_series_shows_the_nearest_stored_or_all_or_nothing() -> None:
    assert str(UnknownSeriesError("symbol", "SPX", ["SPY", "IBM"])) == "symbol: 'SPX' is not in the store; nearest: SPY"
    assert str(UnknownSeriesError("symbol", "Q", ["SPY", "IBM", "IBM"])).endswith("stored: IBM, SPY")
    assert str(UnknownSeriesError("symbol", "Q", [])).endswith("stored: nothing")


def test_a_closed_set_may_be_empty() -> None:
    assert str(UnknownNameError("id", "7", [])) == "id: '7' is unknown; known: none"


def test_a_date_is_shown_as_it_is_written() -> None:
    error = InputError("end", dt.date(2024, 1, 2), "give a later one", "is before start")
    assert str(error) == "end: '2024-01-02' is before start; give a later one"

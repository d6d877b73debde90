"""Problem documents: every error crosses HTTP and comes back as itself."""

from __future__ import annotations

import inspect
import json

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
    StoreVersionError,
    UnknownNameError,
    UnknownSeriesError,
    UnreachableError,
)
from candlewick.server.problem import KINDS, URN, defect, error_of, problem_of, refusal_of

EXAMPLES = {
    InputError("limit", float("nan"), "give a number"): 400,
    UnknownNameError("engine", "optimised", ["classic", "optimized"]): 400,
    NaiveTimeError("start", "2024-01-02T09:30"): 400,
    MissingColumnError("table", "close", ["time"]): 400,
    FileFormatError("file", "a.csv", "give a CSV file"): 400,
    HistoryError("2024-01-02T09:00:00Z", "2024-02-01T00:00:00Z", "it is known from then on"): 410,
    HorizonError("start", "2200-01-01", "give an earlier time"): 400,
    StateError("state", b"x", "load what save gave"): 400,
    LimitError(10, 11): 413,
    UnknownSeriesError("symbol", "SPX", ["SPY"]): 404,
    KilledError("killed"): 409,
    KeyNeededError(): 401,
    RoleError("viewer", "admin", "GET /v1/keys"): 403,
    RateLimitError("requests", 200.0, 0.4): 429,
    AccessError("no"): 403,
    OverloadedError(3, 0.2): 503,
    DeadlineError(1.5): 504,
    EngineError("optimized", "KeyError", "x"): 500,
    ServiceError("not now"): 503,
    StoreBusyError("a.duckdb", "process 7"): 503,
    StoreVersionError("newer"): 503,
    StoreError("full"): 503,
    CandlewickError("plain"): 500,
}


@pytest.mark.parametrize(("error", "status"), EXAMPLES.items(), ids=lambda one: type(one).__name__)
def test_an_error_comes_back_as_itself(error, status):
    problem = problem_of(error)
    assert problem.status == problem.document["status"] == status
    again = error_of(json.loads(problem.json()))
    assert type(again) is type(error)
    assert str(again) == str(error)
    for member in ("parameter", "expected", "nearest", "bars", "seconds", "retry_after", "engine", "kind", "role"):
        assert getattr(again, member, None) == getattr(error, member, None)


def test_every_error_has_a_type_of_its_own():
    tree = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__}
    assert {kind for kind, _, _ in KINDS.values()} == tree - {UnreachableError}  # told by the client alone
    for at, (kind, _, _) in enumerate(KINDS.values()):
        assert not any(issubclass(later, kind) for later, _, _ in list(KINDS.values())[at + 1 :])


def test_an_overload_says_when_to_come_again():
    assert problem_of(OverloadedError(3, 0.2)).headers == {"Retry-After": "1"}
    assert problem_of(OverloadedError(3, 7.6)).headers == {"Retry-After": "8"}


def test_who_has_no_key_is_told_how_to_send_one_and_who_is_too_fast_when_to_come_again():
    assert problem_of(KeyNeededError()).headers == {"WWW-Authenticate": "Bearer"}
    assert problem_of(RateLimitError("requests", 200.0, 0.4)).headers == {"Retry-After": "1"}


def test_values_are_plain_and_finite():
    assert problem_of(InputError("limit", float("inf"), "x")).document["value"] is None
    assert problem_of(InputError("limit", (1, 2.5, b"x"), "x")).document["value"] == [1, 2.5, "b'x'"]


def test_what_is_of_no_known_type_is_an_error_of_the_service():
    assert type(error_of({"type": "about:blank", "title": "Not Found", "detail": "nothing"})) is ServiceError
    assert str(error_of({"type": f"{URN}new-thing", "title": "New thing"})) == "New thing"
    assert str(error_of({})) == "the server answered with an error"


def test_http_has_names_of_its_own():
    assert refusal_of(404, "x").document == {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "x"}
    assert defect().status == 500

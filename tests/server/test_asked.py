"""Asked: a query is parsed once, and says the same as the request made by hand."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import InputError
from candlewick.server.asked import Asked, asked
from candlewick.service.request import LIMIT, Request


def test_all_of_it():
    query = urlencode(
        {
            "timeframe": "5m",
            "start": "2024-01-02",
            "end": "2024-01-02T16:00:00+01:00",
            "indicators": "sma(9),bollinger(20,2)",
            "engine": "optimized",
            "source": "1m",
            "zero_volume": "drop",
            "final_only": "true",
            "limit": "7",
        }
    )
    right = Request.of(
        "BTC/USD",
        "5m",
        "sma(9),bollinger(20,2)",
        start=dt.date(2024, 1, 2),
        end=1_704_207_600_000_000,
        source="1m",
        zero_volume="drop",
        final_only=True,
        limit=7,
    )
    assert asked("BTC/USD", query.encode()) == Asked(right, "optimized")


def test_what_is_left_out_has_its_default():
    assert asked("A", b"timeframe=1d") == Asked(Request.of("A", "1d", limit=LIMIT), "auto")


def test_the_same_question_is_parsed_once():
    assert asked("A", b"timeframe=1d") is asked("A", b"timeframe=1d")
    long = b"timeframe=1d&indicators=" + ",".join(f"sma({at},close)" for at in range(2, 62)).encode()
    assert asked("A", long) == asked("A", long)
    assert asked("A", long) is not asked("A", long)


@given(st.binary(max_size=60))
def test_any_query_is_parsed_or_refused_in_words(query):
    with suppress(InputError):  # anything else is no way to refuse
        assert asked("A", query).request.symbol == "A"


@pytest.mark.parametrize("limit", ["1e3", "+5", "5.0", "", "9999999999999", "٣"])
def test_a_limit_is_plain_digits(limit):
    with pytest.raises(InputError, match="limit"):
        asked("A", urlencode({"timeframe": "1d", "limit": limit}).encode())

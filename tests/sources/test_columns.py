from __future__ import annotations

import pytest

from candlewick.errors import InputError, MissingColumnError
from candlewick.sources.columns import Columns, recognise, recognised


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("symbol,timestamp,open,high,low,close,volume", Columns(1, None, 0, (2, 3, 4, 5, 6))),
        ("v,c,l,h,o,t", Columns(5, None, None, (4, 3, 2, 1, 0))),
        ("<TICKER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>", Columns(2, 1, 0, (3, 4, 5, 6, 7))),
        ("Open Time,Open,High,Low,Close,Volume,Trades", Columns(0, None, None, (1, 2, 3, 4, 5))),
        ("Date,Open,High,Low,Close,Adj Close,Volume", Columns(0, None, None, (1, 2, 3, 4, 6))),
        (' DateTime ,"Open",HIGH,lOw,close_price,VOLUME', Columns(0, None, None, (1, 2, 3, 4, 5))),
    ],
)
def test_common_headers(header: str, expected: Columns) -> None:
    assert recognise(header.split(","), "a.csv") == expected


def test_a_missing_column_is_named_with_what_would_be_recognised() -> None:
    with pytest.raises(MissingColumnError, match=r"a\.csv: 'volume' column is missing.*date, open.*vol, v") as caught:
        recognise(["date", "open", "high", "low", "close"], "a.csv")
    assert caught.value.column == "volume"


@pytest.mark.parametrize("extra", ["o", "timestamp", "ticker"])
def test_two_columns_for_one_thing_are_refused(extra: str) -> None:
    with pytest.raises(InputError, match="could each be"):
        recognise(["symbol", "time", "open", "high", "low", "close", "volume", extra], "a.csv")


def test_recognised_counts_roles() -> None:
    assert recognised(["time", "open", "o", "what"]) == 2

"""Told series: the record of a series as a server tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from candlewick.moments import moment
from candlewick.store.repository import Series
from candlewick.timeframe import Timeframe


def series_of(told: Mapping[str, Any]) -> Series:
    """As the store has it: what `Series.as_dict` made plain."""
    return Series(
        told["symbol"],
        Timeframe.parse(told["timeframe"]),
        told["calendar"],
        told["rows"],
        moment(told["first"], "first"),
        moment(told["last"], "last"),
        told["revision"],
        told["generation"],
    )

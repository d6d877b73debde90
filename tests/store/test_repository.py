from __future__ import annotations

from candlewick.store.repository import Upserted, bounds, iso


def test_upserted_adds_up() -> None:
    assert Upserted(1, 2, 3) + Upserted(10, 20, 30) == Upserted(11, 22, 33)
    assert Upserted(0, 1, 0).changed
    assert not Upserted(0, 0, 9).changed


def test_iso_shows_fractions_only_where_there_are_any() -> None:
    assert iso(0) == "1970-01-01T00:00:00Z"
    assert iso(1_500_000) == "1970-01-01T00:00:01.500000Z"
    assert iso(-1_000_000) == "1969-12-31T23:59:59Z"


def test_bounds_without_a_range_ask_no_calendar() -> None:
    assert bounds("no such calendar", None, None) == (None, None)
    assert bounds("XNYS", "2024-01-02", 5) == (1_704_205_800_000_000, 5)

"""The names known without the library are the library's."""

from __future__ import annotations

import warnings

import pytest

from candlewick.sessions.names import ALIASES, ALWAYS, LIKELY, NAMES, ZONES

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import exchange_calendars


def test_names_and_aliases_equal_the_library() -> None:
    assert set(NAMES) - {"XNSE"} == set(exchange_calendars.get_calendar_names(include_aliases=True))
    assert {*ZONES, ALWAYS} == set(exchange_calendars.get_calendar_names(include_aliases=False))
    resolved = {name: exchange_calendars.resolve_alias(name) for name in ALIASES if name != "XNSE"}
    assert resolved == {name: target for name, target in ALIASES.items() if name != "XNSE"}
    assert ALIASES["XNSE"] == "XBOM"


@pytest.mark.parametrize("name", ["XNYS", "XTKS", "XBOM", "CMES", "XLON", "XHKG"])
def test_zones_equal_the_library(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert str(exchange_calendars.get_calendar(name).tz) == ZONES[name]


def test_likely_names_exist() -> None:
    assert all(name in NAMES or "@" in name for name in LIKELY)

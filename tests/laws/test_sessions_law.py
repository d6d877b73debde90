"""The sessions law on calendars with each trait: half days, breaks, special sessions, nights, no end, own hours."""

from __future__ import annotations

import pytest

from candlewick.testing.session_law import SessionLaws

pytestmark = pytest.mark.kernel


class TestNewYork(SessionLaws):
    calendar = "XNYS"


class TestTokyoWithItsBreak(SessionLaws):
    calendar = "XTKS"


class TestBombayWithSpecialSessions(SessionLaws):
    calendar = "XBOM"


class TestChicagoOvernight(SessionLaws):
    calendar = "CMES"


class TestRoundTheClock(SessionLaws):
    calendar = "24/7"


class TestOwnHoursWithBreak(SessionLaws):
    calendar = "09:00-11:30,12:30-15:00@Australia/Sydney;Mon-Sat"


class TestOwnHoursOvernight(SessionLaws):
    calendar = "18:00-17:00@America/New_York"


class TestLondon(SessionLaws):
    calendar = "XLON"

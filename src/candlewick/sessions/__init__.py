"""Trading calendars as a small table of edges."""

from candlewick.sessions.calendar import Calendar, Periods, find_calendar, own_hours

__all__ = ["Calendar", "Periods", "find_calendar", "own_hours"]

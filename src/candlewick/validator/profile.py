"""Profile: how much each check measures. The thresholds are the same in all of them, except that of leaks."""

from __future__ import annotations

from dataclasses import dataclass

from candlewick.errors import UnknownNameError


@dataclass(frozen=True)
class Profile:
    """Sizes of the checks' loads.

    ``series``, ``rows``: at most so many series of the store, each with so many of its newest candles, are copied into
    the snapshot; None for all. ``answers``: how many are compared. ``mix_minutes``: how much of the mix's day the cache
    check plays, of ``mix_symbols``. ``pairs``: requests of each kind that both engines are timed on, in ``rounds``
    rounds. ``memory_*``: symbols and sessions of history that the memory check asks about, and how often each engine is
    measured. ``leak_*``: requests, and bytes a request allowed. ``threads`` ask for ``seconds`` in the concurrency
    check. ``scrape``: requests between two scrapes. ``rollback_seconds``: how long a rollback may take; ``rate``:
    requests a second of the load that it happens under, of which ``well_seconds`` pass before V2 breaks. ``coverage``:
    whether the test suite is run.
    """

    name: str
    series: int | None
    rows: int | None
    answers: int | None
    mix_minutes: int
    pairs: int
    rounds: int
    memory_symbols: int
    memory_sessions: int
    leak_requests: int
    leak_bytes: float
    threads: int
    seconds: float
    scrape: int
    rate: float
    rollback_seconds: float = 120.0
    well_seconds: float = 2.0
    mix_symbols: int = 200
    memory_repeats: int = 3
    coverage: bool = False


QUICK = Profile(
    name="quick",
    series=12,
    rows=20_000,
    answers=72,
    mix_minutes=70,
    pairs=12,
    rounds=3,
    memory_symbols=8,
    memory_sessions=120,
    leak_requests=20_000,
    leak_bytes=500.0,
    threads=16,
    seconds=2.0,
    scrape=24,
    rate=50.0,
    well_seconds=1.0,
)
FULL = Profile(
    name="full",
    series=None,
    rows=None,
    answers=None,
    mix_minutes=390,
    pairs=120,
    rounds=7,
    memory_symbols=8,
    memory_sessions=250,
    leak_requests=100_000,
    leak_bytes=50.0,
    threads=64,
    seconds=60.0,
    scrape=400,
    rate=50.0,
)
RELEASE = Profile(**{**FULL.__dict__, "name": "release", "coverage": True})

PROFILES = {profile.name: profile for profile in (QUICK, FULL, RELEASE)}


def find_profile(name: str) -> Profile:
    """A profile by its name. Raises UnknownNameError."""
    if name not in PROFILES:
        raise UnknownNameError("profile", name, PROFILES)
    return PROFILES[name]

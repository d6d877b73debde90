"""Rate: how many requests somebody may send, by a bucket that fills at that rate. Pure: the time is handed in."""

from __future__ import annotations

from typing import NamedTuple

MOST = 4096
"""Buckets that are kept; beyond them the one that was made first is forgotten, and so full again."""


class Bucket(NamedTuple):
    """``left`` requests at the time ``at``, in seconds."""

    left: float
    at: float


def take(bucket: Bucket | None, now: float, rate: float, most: float) -> tuple[Bucket, float]:
    """One request out of a bucket that gains ``rate`` a second up to ``most``; None is a full one.

    The bucket afterwards and 0, or the same requests and the seconds until there is one.
    """
    if bucket is None:
        bucket = Bucket(most, now)
    left = min(most, bucket.left + max(0.0, now - bucket.at) * rate)
    if left >= 1.0:
        return Bucket(left - 1.0, now), 0.0
    return Bucket(left, now), (1.0 - left) / rate


class Rates:
    """A bucket for everybody. ``rate``: requests a second, 0 is no limit; ``burst``: how many may come at once after a
    while of none, by default a second's."""

    def __init__(self, rate: float, burst: float | None = None) -> None:
        self.rate = rate
        self._most = max(1.0, rate if burst is None else burst)
        self._buckets: dict[str, Bucket] = {}

    def wait(self, who: str, now: float) -> float:
        """0 when a request may come in now, else the seconds to wait."""
        if not self.rate:
            return 0.0
        known = self._buckets.get(who)
        if known is None and len(self._buckets) >= MOST:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[who], seconds = take(known, now, self.rate, self._most)
        return seconds

"""Merge: two partial bars, one after the other, as one. The only arithmetic of aggregation, batch and live."""

from __future__ import annotations

Partial = tuple[float, float, float, float, float, int]
"""open, high, low, close, volume, n."""


def merge(
    open_: float, high: float, low: float, volume: float, n: int,
    next_high: float, next_low: float, next_close: float, next_volume: float, next_n: int,
) -> Partial:  # fmt: skip
    """A partial bar and the one after it. Associative: exactly in open, high, low, close and n; in volume wherever
    sums of volumes are exact. Of equal prices (0.0 and -0.0) the earlier stands.
    """
    top = high if high >= next_high else next_high
    bottom = low if low <= next_low else next_low
    return open_, top, bottom, next_close, volume + next_volume, n + next_n


def untraded(open_: float, high: float, low: float, close: float, volume: float) -> bool:
    """True for a flat candle without volume, as some vendors invent for a minute without a trade."""
    return volume == 0.0 and high == low and open_ == close and open_ == high

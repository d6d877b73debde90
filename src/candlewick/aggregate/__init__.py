"""Candles to session-true bars: pure edges, one merge for batch and live."""

from candlewick.aggregate.batch import aggregate, aggregate_many, session_bars
from candlewick.aggregate.edges import inside
from candlewick.aggregate.live import Forming

__all__ = ["Forming", "aggregate", "aggregate_many", "inside", "session_bars"]

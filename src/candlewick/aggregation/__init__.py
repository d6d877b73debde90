"""Candles to session-true bars: pure edges, one merge for batch and live."""

from candlewick.aggregation.batch import aggregate, aggregate_many, session_bars
from candlewick.aggregation.edges import inside
from candlewick.aggregation.live import Forming

__all__ = ["Forming", "aggregate", "aggregate_many", "inside", "session_bars"]

"""candlewick: session-true bars and technical indicators, batch and live by the same compiled step."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from candlewick.version import __version__

if TYPE_CHECKING:
    from candlewick.aggregation.batch import aggregate, aggregate_many
    from candlewick.bars import Bars
    from candlewick.candles import Candles
    from candlewick.client import Client, ServedAnswer, StreamedBar, connect
    from candlewick.engine.compute import compute, compute_many, warm_up
    from candlewick.engine.frame import IndicatorFrame
    from candlewick.engine.query import Answer, query
    from candlewick.engine.stream import Stream
    from candlewick.engine.stream_many import StreamMany
    from candlewick.errors import CandlewickError, InputError, StoreError
    from candlewick.indicators import (
        ATR,
        EMA,
        MACD,
        RSI,
        SMA,
        VWAP,
        WMA,
        Bollinger,
        Indicator,
        PercentB,
        StandardDeviation,
        Stochastic,
        TrueRange,
    )
    from candlewick.sessions.calendar import Calendar, find_calendar
    from candlewick.sources.ingest import ingest
    from candlewick.sources.read import from_frame, read_csv
    from candlewick.store.open import open_store
    from candlewick.timeframe import Timeframe

_HOMES = {
    "candlewick.aggregation.batch": ("aggregate", "aggregate_many"),
    "candlewick.bars": ("Bars",),
    "candlewick.candles": ("Candles",),
    "candlewick.client": ("Client", "ServedAnswer", "StreamedBar", "connect"),
    "candlewick.engine.compute": ("compute", "compute_many", "warm_up"),
    "candlewick.engine.frame": ("IndicatorFrame",),
    "candlewick.engine.query": ("Answer", "query"),
    "candlewick.engine.stream": ("Stream",),
    "candlewick.engine.stream_many": ("StreamMany",),
    "candlewick.errors": ("CandlewickError", "InputError", "StoreError"),
    "candlewick.indicators": (
        "ATR",
        "EMA",
        "MACD",
        "RSI",
        "SMA",
        "VWAP",
        "WMA",
        "Bollinger",
        "Indicator",
        "PercentB",
        "StandardDeviation",
        "Stochastic",
        "TrueRange",
    ),
    "candlewick.sessions.calendar": ("Calendar", "find_calendar"),
    "candlewick.sources.ingest": ("ingest",),
    "candlewick.sources.read": ("from_frame", "read_csv"),
    "candlewick.store.open": ("open_store",),
    "candlewick.timeframe": ("Timeframe",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ATR",
    "EMA",
    "MACD",
    "RSI",
    "SMA",
    "VWAP",
    "WMA",
    "Answer",
    "Bars",
    "Bollinger",
    "Calendar",
    "Candles",
    "CandlewickError",
    "Client",
    "Indicator",
    "IndicatorFrame",
    "InputError",
    "PercentB",
    "ServedAnswer",
    "StandardDeviation",
    "Stochastic",
    "StoreError",
    "Stream",
    "StreamMany",
    "StreamedBar",
    "Timeframe",
    "TrueRange",
    "__version__",
    "aggregate",
    "aggregate_many",
    "compute",
    "compute_many",
    "connect",
    "find_calendar",
    "from_frame",
    "ingest",
    "open_store",
    "query",
    "read_csv",
    "warm_up",
]


if not TYPE_CHECKING:  # pragma: no branch - a type checker reads the imports above, and refuses other names

    def __getattr__(name: str) -> Any:
        """A public name, its module imported at first use: ``import candlewick`` alone costs nothing."""
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module 'candlewick' has no attribute {name!r}")
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)

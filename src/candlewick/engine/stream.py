"""Stream: bars and indicators live, by the same compiled steps as a batch."""

from __future__ import annotations

import json
import struct
from typing import Self

import numpy as np

from candlewick.aggregation.live import Forming
from candlewick.bars import Bars
from candlewick.candles import Candles
from candlewick.columnar import Floats
from candlewick.engine.catalogue import resolve
from candlewick.engine.frame import IndicatorFrame
from candlewick.engine.kernel_choice import version_of
from candlewick.engine.plan import plan
from candlewick.engine.run import continue_plan, frame_of
from candlewick.errors import InputError, StateError
from candlewick.indicators import Specs
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.timeframe import Timeframe

MAGIC = b"candlewick stream 1\n"


class Stream:
    """Candles in, final bars with their indicators out; equal to ``compute`` over all candles at once, bit for bit.

    ``source`` is the timeframe of the candles to come (default: that of the bars). The first use of a set of indicators
    compiles its fused kernel, which takes seconds once a machine; ``warm_up`` does it ahead.
    """

    def __init__(
        self,
        specs: Specs,
        *,
        symbol: str,
        timeframe: str | Timeframe,
        calendar: str | Calendar,
        source: str | Timeframe | None = None,
        zero_volume: str = "keep",
    ) -> None:
        length = Timeframe.parse(timeframe)
        self._plan = plan(resolve(specs))
        self._states = self._plan.new_states()
        self._forming = Forming(
            length if source is None else Timeframe.parse(source, "source"),
            length,
            find_calendar(calendar),
            symbol,
            zero_volume,
        )

    def update(self, candles: Candles) -> IndicatorFrame:
        """Take the next candles; indicators of the bars that became final with them (no rows when none did).

        A bar is final when its end is at or before the newest candle's close. Raises InputError for candles of another
        symbol, timeframe or calendar, and for a candle at or before one already taken: a correction needs a rebuild.
        """
        return self._advance(self._forming.update(candles), self._states)

    def peek(self) -> IndicatorFrame:
        """Indicators of the bar that is still forming (no rows when there is none). Changes nothing."""
        return self._advance(self._forming.peek(), [state.copy() for state in self._states])

    @property
    def bars(self) -> Bars:
        """The bar that is still forming, or no rows."""
        return self._forming.peek()

    def save(self) -> bytes:
        """The whole state; ``Stream.load`` goes on from it to the same bits."""
        forming = self._forming.save()
        kept = zip(self._plan.groups, self._states, strict=True)
        states = b"".join(group.canonical(state).tobytes() for group, state in kept)
        header = {
            "indicators": [indicator.text for indicator in self._plan.indicators],
            "kernel": version_of(self._plan),
            "forming": len(forming),
            "states": list(self._plan.state_sizes),
        }
        text = json.dumps(header).encode()
        return MAGIC + struct.pack("<I", len(text)) + text + forming + states

    @classmethod
    def load(cls, data: bytes) -> Self:
        """A stream from ``save``. Raises StateError for bytes that are no stream's, are cut, or whose kernels differ.

        State saved by kernels of another version is refused, since it would not go on to the same bits.
        """
        try:
            if not data.startswith(MAGIC):
                raise ValueError("does not begin as a saved stream does")
            (length,) = struct.unpack_from("<I", data, len(MAGIC))
            start = len(MAGIC) + 4
            header = json.loads(data[start : start + length])
            made = plan(resolve(header["indicators"]))
            forming_end = start + length + header["forming"]
            if len(data) != forming_end + 8 * sum(header["states"]) or header["states"] != list(made.state_sizes):
                raise ValueError("has the wrong length")
        except (ValueError, KeyError, TypeError, struct.error) as error:
            if isinstance(error, InputError):
                raise
            raise StateError("data", data[:40], "give the bytes that Stream.save returned", str(error)) from error
        if header["kernel"] != version_of(made):
            raise StateError("data", header["kernel"], f"this engine's is {version_of(made)}: rebuild the stream")
        self = cls.__new__(cls)
        self._plan = made
        self._forming = Forming.load(data[start + length : forming_end])
        floats = np.frombuffer(data[forming_end:], dtype=np.float64).copy()
        self._states = np.split(floats, np.cumsum(made.state_sizes)[:-1])
        return self

    def _advance(self, bars: Bars, states: list[Floats]) -> IndicatorFrame:
        values = np.empty((len(self._plan.columns), len(bars)))
        continue_plan(self._plan, bars, states, values)
        return frame_of(self._plan, bars, values)

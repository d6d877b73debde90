"""Growing: bars of a stored series whose candles are read piece by piece, oldest first."""

from __future__ import annotations

import numpy as np

from candlewick.aggregation.batch import check_timeframes, check_zero_volume, no_bars
from candlewick.aggregation.chunk import Carry, Columns, fold_chunk
from candlewick.aggregation.edges import Edges
from candlewick.aggregation.live import About
from candlewick.bars import Bars
from candlewick.candles import VALUES, Candles
from candlewick.errors import InputError
from candlewick.sessions.calendar import Calendar
from candlewick.timeframe import Timeframe


class Growing:
    """Gives out each bar when a later bucket begins: what no candle to come can change. The same bits as ``aggregate``.

    ``aggregate`` of all candles is what ``take`` gave out, and then ``newest``. Where a bar is final is not asked here.
    """

    __slots__ = ("_carry", "_drop", "_known_anchor", "_nothing", "about")

    def __init__(
        self, symbol: str, source: Timeframe, timeframe: Timeframe, calendar: Calendar, zero_volume: str = "keep"
    ) -> None:
        """Before the first candle of a series. Raises InputError as ``aggregate`` does."""
        check_timeframes(source, timeframe)
        self._drop = check_zero_volume(zero_volume)
        self.about = About(symbol, source, timeframe, calendar, zero_volume)
        self._carry = Carry.empty()
        self._known_anchor: int | None = None
        none = Candles.trusted(symbol, source, calendar, np.empty(0, np.int64), {name: np.empty(0) for name in VALUES})
        self._nothing = no_bars(none, timeframe)

    def copy(self) -> Growing:
        """The same, to go on apart."""
        return self._with(self._carry.copy(), self._known_anchor)

    def again_from(self, anchor: int) -> Growing:
        """The same series from the start of a bar on whose candles are those they were; it had this ``anchor``.

        The bars before it are not looked at, so nothing else could tell whether it is a session's first.
        """
        return self._with(Carry.empty(), anchor)

    def take(self, candles: Candles) -> Bars:
        """The bars that these candles, newer than all before, closed. After an error nothing is changed."""
        about = self.about
        if not len(candles):
            return self._nothing
        times = candles.microseconds
        edges = Edges.between(about.calendar, about.timeframe, int(times[0]), int(times[-1]) + 1)
        carry = self._carry.copy()
        columns, made = fold_chunk(candles, edges, carry, drop=self._drop)
        if self._known_anchor is not None and (made or carry.open):
            if made:
                columns.anchor[0] = self._known_anchor
            else:
                carry.state[4] = self._known_anchor
            self._known_anchor = None
        self._carry = carry
        return columns.bars(candles, about.timeframe, made, 0) if made else self._nothing

    def newest(self) -> Bars:
        """The newest bar, or none."""
        if not self._carry.open:
            return self._nothing
        columns = Columns.room(1)
        columns.put(0, self._carry)
        return columns.bars(self._nothing, self.about.timeframe, 1, 0)

    @property
    def end(self) -> int:
        """Where the newest bar's bucket ends. Raises InputError while there is none."""
        if not self._carry.open:
            raise InputError("candles", 0, "take some inside sessions first", "make no bar")
        return self._carry.end

    @property
    def nbytes(self) -> int:
        """Bytes held in arrays."""
        return self._carry.state.nbytes + self._carry.partial.nbytes

    def _with(self, carry: Carry, known_anchor: int | None) -> Growing:
        other = Growing.__new__(Growing)
        other.about, other._drop, other._nothing = self.about, self._drop, self._nothing
        other._carry, other._known_anchor = carry, known_anchor
        return other

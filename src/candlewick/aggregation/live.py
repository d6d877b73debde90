"""Live: bars of one series that form while its candles arrive."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from candlewick.aggregation.batch import check_timeframes, check_zero_volume, no_bars
from candlewick.aggregation.chunk import Carry, Columns, fold_chunk
from candlewick.aggregation.edges import Edges
from candlewick.aggregation.fold import NEVER, STATE
from candlewick.bars import Bars
from candlewick.candles import VALUES, Candles, check_candles
from candlewick.errors import InputError, StateError
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.timeframe import Timeframe

MAGIC = b"candlewick.forming"
VERSION = 1
_DIGEST = 8


@dataclass(frozen=True)
class About:
    """The series that bars form for: what a saved state must be about to be taken up."""

    symbol: str
    source: Timeframe
    timeframe: Timeframe
    calendar: Calendar
    zero_volume: str


class Forming:
    """Takes the candles of one series as they come and gives out each bar once, when it is final.

    The same bits as ``aggregate`` over all candles at once, however they were cut, also when the state went through
    ``save`` and ``load`` in between.
    """

    def __init__(
        self,
        source: str | Timeframe,
        timeframe: str | Timeframe,
        calendar: str | Calendar,
        symbol: str,
        zero_volume: str = "keep",
    ) -> None:
        """Bars of ``timeframe`` from candles of ``source``. Raises InputError as ``aggregate`` does."""
        given, target = Timeframe.parse(source, "source"), Timeframe.parse(timeframe)
        check_timeframes(given, target)
        self._drop = check_zero_volume(zero_volume)
        self.about = About(symbol, given, target, find_calendar(calendar), zero_volume)
        self._carry = Carry.empty()
        self._newest = NEVER
        self._given_until = NEVER

    def update(self, candles: Candles) -> Bars:
        """Take candles newer than all before; returns the bars that are now final: end <= the newest candle's close.

        Raises InputError for candles of another series, for bars, and for a candle that is not newer than the one
        before or belongs to a bar already given out. After an error nothing is changed.
        """
        about = self.about
        self._check_series(candles)
        if not len(candles):
            return no_bars(candles, about.timeframe)
        times = candles.microseconds
        first, newest = int(times[0]), int(times[-1])
        edges = Edges.between(about.calendar, about.timeframe, first, newest + 1)
        source = Edges.between(about.calendar, about.source, newest, newest + 1)
        self._check_new(first, edges)
        carry = self._carry.copy()
        columns, made = fold_chunk(candles, edges, carry, drop=self._drop)
        given_until = self._given_until
        if carry.open and carry.end <= source.close_of(newest):
            columns.put(made, carry)
            made += 1
            given_until = carry.end
            carry.close()
        self._carry, self._newest, self._given_until = carry, newest, given_until
        return columns.bars(candles, about.timeframe, made, made)

    def peek(self) -> Bars:
        """The bar that is still forming, or none."""
        about = self.about
        columns = Columns.room(1)
        if self._carry.open:
            columns.put(0, self._carry)
        none = Candles.trusted(
            about.symbol,
            about.source,
            about.calendar,
            np.empty(0, dtype=np.int64),
            {name: np.empty(0) for name in VALUES},
        )
        return columns.bars(none, about.timeframe, int(self._carry.open), 0)

    def save(self) -> bytes:
        """The state as bytes: who it is about, the open bar, the newest candle; with version and checksum."""
        about = self.about
        header = {
            "symbol": about.symbol,
            "source": str(about.source),
            "timeframe": str(about.timeframe),
            "calendar": about.calendar.name,
            "sessions": about.calendar.version,
            "zero_volume": about.zero_volume,
            "newest": self._newest,
            "given_until": self._given_until,
        }
        text = json.dumps(header, sort_keys=True).encode()
        numbers = self._carry.state.astype("<i8").tobytes() + self._carry.partial.astype("<f8").tobytes()
        body = MAGIC + struct.pack("<HI", VERSION, len(text)) + text + numbers
        return body + hashlib.blake2b(body, digest_size=_DIGEST).digest()

    @classmethod
    def load(
        cls,
        data: bytes,
        *,
        symbol: str | None = None,
        timeframe: str | Timeframe | None = None,
        calendar: str | Calendar | None = None,
    ) -> Forming:
        """Go on where ``save`` was. What is given besides must be what the state is about.

        Raises StateError for bytes that are no such state, damaged, of another version, of other sessions than the
        calendar has now, or about something else than asked for.
        """
        header, numbers = _opened(data)
        forming = cls(
            header["source"], header["timeframe"], header["calendar"], header["symbol"], header["zero_volume"]
        )
        about = forming.about
        wanted = {
            "symbol": symbol,
            "timeframe": timeframe and Timeframe.parse(timeframe),
            "calendar": calendar and find_calendar(calendar),
        }
        for name, value in wanted.items():
            if value is not None and value != getattr(about, name):
                raise StateError(
                    "state", str(getattr(about, name)), f"give a state of {value}", f"is of another {name}"
                )
        if about.calendar.version != header["sessions"]:
            raise StateError(
                "state", about.calendar.name, "start again from the stored candles", "was saved with other sessions"
            )
        state = np.frombuffer(numbers[: 8 * STATE], dtype="<i8").astype(np.int64)
        partial = np.frombuffer(numbers[8 * STATE :], dtype="<f8").astype(np.float64)
        forming._carry = Carry(state, partial)
        forming._newest, forming._given_until = header["newest"], header["given_until"]
        return forming

    def _check_series(self, candles: Candles) -> None:
        about = self.about
        check_candles(candles)
        if isinstance(candles, Bars):
            raise InputError("candles", "Bars", f"give the {about.source} candles", "can still change")
        for name, mine, theirs in (
            ("symbol", about.symbol, candles.symbol),
            ("timeframe", about.source, candles.timeframe),
            ("calendar", about.calendar, candles.calendar),
        ):
            if mine != theirs:
                raise InputError(f"candles.{name}", str(theirs), f"give candles of {mine}", "is of another series")

    def _check_new(self, first: int, edges: Edges) -> None:
        shown = f"{np.datetime64(first, 'us')}Z"
        if first <= self._newest:
            problem = "was given before" if first == self._newest else "comes late"
            expected = f"give candles after {np.datetime64(self._newest, 'us')}Z; corrections need a rebuild"
            raise InputError("candles.time", shown, expected, problem)
        if first < self._given_until and edges.bucket(first) is not None:
            expected = f"bars until {np.datetime64(self._given_until, 'us')}Z are final; corrections need a rebuild"
            raise InputError("candles.time", shown, expected, "belongs to a bar already given out")


def _opened(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and numbers of a saved state, or StateError."""
    expected = "give what Forming.save returned"
    if not data.startswith(MAGIC):
        raise StateError("state", data[: len(MAGIC)], expected, "is no forming bar")
    start = len(MAGIC) + 6
    if len(data) < start + _DIGEST:
        raise StateError("state", len(data), expected, "is cut short")
    version, length = struct.unpack("<HI", data[len(MAGIC) : start])
    if version != VERSION:
        raise StateError("state", version, f"this version reads {VERSION}", "is of another version")
    body, digest = data[:-_DIGEST], data[-_DIGEST:]
    if hashlib.blake2b(body, digest_size=_DIGEST).digest() != digest:
        raise StateError("state", len(data), expected, "is damaged")
    header: dict[str, Any] = json.loads(body[start : start + length])
    return header, body[start + length :]

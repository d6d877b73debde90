"""Answer: what a service returns, whichever engine computed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from candlewick.bars import Bars
from candlewick.columnar import Floats
from candlewick.service.arrow_form import arrow_stream
from candlewick.service.packed import PACKED_FROM, packed
from candlewick.store.splits import Split
from candlewick.timeframe import Timeframe

BAR_COLUMNS = ("time", "open", "high", "low", "close", "volume", "n", "final")
"""What every answer begins with; the indicators follow in the order asked for."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Bars of the asked range and their indicators, by column name in the order asked for.

    ``source``: the stored timeframe used. ``engine``: ``classic`` or ``optimized``. ``revision``: that of the last
    write at or before the answer's end. ``fingerprint``: 32 hex digits over everything the numbers depend on; equal
    fingerprints, equal columns. ``seconds``: what computing took. ``cache``: ``hit``, ``extension``, ``miss`` or
    ``none``. ``splits``: the factors by which the candles were adjusted. Every array is read-only.
    """

    bars: Bars
    indicators: Mapping[str, Floats]
    source: Timeframe
    engine: str
    revision: int
    fingerprint: str
    seconds: float
    cache: str = "none"
    splits: tuple[Split, ...] = ()
    _encoded: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Every column by its public name."""
        return {name: getattr(self.bars, name) for name in BAR_COLUMNS} | dict(self.indicators)

    @property
    def about(self) -> dict[str, Any]:
        """What an encoded answer says before its columns."""
        return {
            "symbol": self.bars.symbol,
            "timeframe": str(self.bars.timeframe),
            "source": str(self.source),
            "engine": self.engine,
            "revision": self.revision,
            "fingerprint": self.fingerprint,
        }

    def json(self) -> bytes:
        """The answer as JSON: times in milliseconds since 1970, undefined null. Encoded once, then remembered."""
        return self._plain("json")

    def arrow(self) -> bytes:
        """The answer as an Arrow IPC stream (`arrow_form`). Encoded once, then remembered."""
        return self._plain("arrow")

    def encoded(self, kind: str, coding: str | None = None, least: int = PACKED_FROM) -> tuple[bytes, str | None]:
        """The answer as ``kind`` (``json`` or ``arrow``), packed by ``coding`` (``zstd`` or ``gzip``) unless it has
        fewer than ``least`` bytes; and the coding that it has in the end. Made once, then remembered."""
        if coding is None:
            return self._plain(kind), None
        name = f"{kind}.{coding}"
        found = self._encoded.get(name)
        if found is None:
            plain = self._encoded.get(kind) or _made(self, kind)
            if len(plain) < least:
                self._encoded[kind] = plain
                return plain, None
            found = self._encoded[name] = packed(plain, coding)
        return found, coding

    def at_hand(self, kind: str, coding: str | None = None) -> bool:
        """Whether ``encoded`` has nothing left to do but to give what is remembered."""
        return (kind if coding is None else f"{kind}.{coding}") in self._encoded

    def _plain(self, kind: str) -> bytes:
        found = self._encoded.get(kind)
        if found is None:
            found = self._encoded[kind] = _made(self, kind)
        return found


def _made(answer: Answer, kind: str) -> bytes:
    return arrow_stream(answer) if kind == "arrow" else encode(answer)


def encode(answer: Answer) -> bytes:
    """``{"symbol", "timeframe", "source", "engine", "revision", "fingerprint", "columns": {...}}``, one line."""
    columns: dict[str, list[Any]] = {"time": (answer.bars.microseconds // 1000).tolist()}
    for name, values in answer.columns.items():
        if name != "time":
            columns[name] = values.tolist()  # msgspec writes NaN as null
    return msgspec.json.encode({**answer.about, "columns": columns})


def read_only(values: Floats) -> Floats:
    """A view that cannot be written to."""
    view = np.asarray(values).view()
    view.flags.writeable = False
    return view

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
from candlewick.timeframe import Timeframe

BAR_COLUMNS = ("time", "open", "high", "low", "close", "volume", "n", "final")
"""What every answer begins with; the indicators follow in the order asked for."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Bars of the asked range and their indicators, by column name in the order asked for.

    ``source``: the stored timeframe used. ``engine``: ``classic`` or ``optimized``. ``revision``: that of the last
    write at or before the answer's end. ``fingerprint``: 32 hex digits over everything the numbers depend on; equal
    fingerprints, equal columns. ``seconds``: what computing took. ``cache``: ``hit``, ``extension``, ``miss`` or
    ``none``. Every array is read-only.
    """

    bars: Bars
    indicators: Mapping[str, Floats]
    source: Timeframe
    engine: str
    revision: int
    fingerprint: str
    seconds: float
    cache: str = "none"
    _encoded: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Every column by its public name."""
        return {name: getattr(self.bars, name) for name in BAR_COLUMNS} | dict(self.indicators)

    def json(self) -> bytes:
        """The answer as JSON: times in milliseconds since 1970, undefined null. Encoded once, then remembered."""
        found = self._encoded.get("json")
        if found is None:
            found = self._encoded["json"] = encode(self)
        return found


def encode(answer: Answer) -> bytes:
    """``{"symbol", "timeframe", "source", "engine", "revision", "fingerprint", "columns": {...}}``, one line."""
    columns: dict[str, list[Any]] = {"time": (answer.bars.microseconds // 1000).tolist()}
    for name, values in answer.columns.items():
        if name != "time":
            columns[name] = values.tolist()  # msgspec writes NaN as null
    return msgspec.json.encode(
        {
            "symbol": answer.bars.symbol,
            "timeframe": str(answer.bars.timeframe),
            "source": str(answer.source),
            "engine": answer.engine,
            "revision": answer.revision,
            "fingerprint": answer.fingerprint,
            "columns": columns,
        }
    )


def read_only(values: Floats) -> Floats:
    """A view that cannot be written to."""
    view = np.asarray(values).view()
    view.flags.writeable = False
    return view

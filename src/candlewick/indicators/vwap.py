"""Volume-weighted average price."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import nan

from candlewick.errors import UnknownNameError
from candlewick.indicators.exact import ROUNDING, Column, Exact, ExactBars
from candlewick.indicators.indicator import Indicator, Scalars, Stepped

ANCHORS = {"session": 1, "week": 2, "month": 4, "first": 0}
"""Where the sums start again, and the bit of a bar's ``anchor`` that says so."""


def vwap_step(t: int, hot: bool, inputs: Scalars, state: Scalars, parameters: Scalars) -> Stepped:
    """Running sums of price x volume and of volume, from the last anchor on."""
    high, low, close, volume, anchor = inputs
    paid, traded = state
    if int(anchor) & int(parameters[0]):
        paid = 0.0
        traded = 0.0
    paid += (high + low + close) * volume
    traded += volume
    price = paid / (3.0 * traded)
    if traded <= 0.0:
        price = nan
    return (paid, traded), (price,)


@dataclass(frozen=True)
class VWAP(Indicator):
    """Volume-weighted average of (high + low + close) / 3 since the anchor. Columns ``vwap``, ``vwap_week`` ...

    ``anchor``: ``session`` (default), ``week`` (ISO), ``month`` or ``first`` (the series' first bar). Undefined while
    no volume has traded. Source: TradingView's ta.vwap (hlc3). Bound: 2 roundings of the sizes summed for each bar
    since the anchor.
    """

    anchor: str = "session"

    kind = "vwap"
    slots = 2
    step = staticmethod(vwap_step)
    meaning = "volume-weighted average price since the session's (week's, month's, series') first bar"

    def __post_init__(self) -> None:
        if self.anchor not in ANCHORS:
            raise UnknownNameError("anchor", self.anchor, ANCHORS)

    @property
    def reads(self) -> tuple[str, ...]:
        return ("high", "low", "close", "volume", "anchor")

    @property
    def parameters(self) -> Scalars:
        return (float(ANCHORS[self.anchor]),)

    @property
    def warm_up(self) -> int:
        return 0

    @property
    def text(self) -> str:
        return self.kind if self.anchor == "session" else f"{self.kind}({self.anchor})"

    def exact(self, bars: ExactBars) -> list[Column]:
        bit = ANCHORS[self.anchor]
        result: Column = []
        paid = traded = size = Fraction(0)
        count = 0
        for high, low, close, volume, mark in zip(
            bars["high"], bars["low"], bars["close"], bars["volume"], bars.anchor, strict=True
        ):
            if mark & bit:
                paid = traded = size = Fraction(0)
                count = 0
            paid += (high + low + close) * volume
            size += (abs(high) + abs(low) + abs(close)) * volume
            traded += volume
            count += 1
            if traded == 0:
                result.append(None)
                continue
            bound = (2 * count + 8) * ROUNDING * float(size / traded) / 3
            result.append(Exact(paid / (3 * traded), bound))
        return [result]

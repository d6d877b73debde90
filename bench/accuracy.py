"""How far each indicator is from its exact form, on every trial series: the figures of docs/decisions.

Prints, for each indicator, its largest relative error, the largest share of its stated bound that was used, and on
which series each was. ``python bench/accuracy.py --bars 5000`` takes about a minute.
"""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction

from candlewick.engine import laws
from candlewick.engine.trial_bars import TRIALS
from candlewick.indicators import Indicator, parse_indicators
from candlewick.indicators.exact import ExactBars
from candlewick.indicators.indicator import SOURCES

TRIED = (
    "sma(9) sma(50) ema(9) wma(14) rsi(14) atr(14) true_range stddev(14) stddev(20) stddev(200) vwap vwap(first) "
    "bollinger(20,2) percent_b(20,2) macd(12,26,9) stochastic(14,3,3)"
)


def errors(indicator: Indicator, trial: str, bars: int) -> tuple[float, float]:
    """Largest relative error of a column (values that are exactly 0 left out), and largest error against its bound."""
    series = TRIALS[trial](bars)
    exact = indicator.exact(ExactBars.of({name: getattr(series, name) for name in SOURCES}, list(series.anchor)))
    relative = used = 0.0
    for row, truths in zip(laws.whole(indicator, series), exact, strict=True):
        for computed, truth in zip(row.tolist(), truths, strict=True):
            if truth is None:
                continue
            distance = abs(Fraction(computed) - truth.value)
            if truth.value:
                relative = max(relative, float(distance / abs(truth.value)))
            if truth.bound:
                used = max(used, float(distance) / truth.bound)
            elif distance:
                used = float("inf")
    return relative, used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=5000)
    parser.add_argument("--indicators", default=TRIED)
    given = parser.parse_args()
    for indicator in parse_indicators(given.indicators):
        found = {trial: errors(indicator, trial, given.bars) for trial in TRIALS}
        relative = max(found, key=lambda trial: found[trial][0])
        used = max(found, key=lambda trial: found[trial][1])
        sys.stdout.write(
            f"{indicator.text:20} relative {found[relative][0]:8.1e} ({relative})  "
            f"of the bound {found[used][1]:6.1%} ({used})\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()

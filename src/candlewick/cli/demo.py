"""demo: a first look, with real and simulated candles."""

from __future__ import annotations

from candlewick.cli import options


def demo(store: options.Store = None) -> None:
    """Load real daily and simulated minute candles and show 5-minute bars with indicators.

    Uses a fresh temporary store, which is removed at the end, unless --store names one to keep. Ends by itself.
    """

"""The demo: real daily candles that come by pip, simulated minute candles, and a first question."""

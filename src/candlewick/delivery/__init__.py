"""Delivery: how a new engine reaches its users and is taken back. Knows no candle: it sees keys, outcomes, verdicts."""

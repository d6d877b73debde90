"""Live bars: what changed of a series, computed once after a write, as messages for everybody who follows it."""

"""Benchmarks: candlewick beside its peers, interleaved in one process, every answer checked before it is timed."""

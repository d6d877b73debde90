"""Compare: another platform's figures beside ours, and why they differ."""

from candlewick.compare.compare import compare
from candlewick.compare.comparison import Comparison

__all__ = ["Comparison", "compare"]

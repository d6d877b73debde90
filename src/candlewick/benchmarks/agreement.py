"""Agreement: how far a peer's answers are from ours."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

Answers = Mapping[str, npt.NDArray[Any]]
"""Column name to values, NaN where undefined. A contender that does less gives the first rows only."""


def largest_difference(reference: Answers, given: Answers, settled: int = 0) -> float:
    """The largest difference in any column, as a share of that column's largest value, from row ``settled`` on.

    Infinite where a column is missing or extra, has more rows than the reference or none to compare, or is defined in
    other rows.
    """
    if list(reference) != list(given):
        return inf
    return max((_difference(reference[name], given[name], settled) for name in reference), default=inf)


def _difference(reference: npt.NDArray[Any], given: npt.NDArray[Any], settled: int) -> float:
    rows = len(given)
    if not settled < rows <= len(reference):
        return inf
    right = np.asarray(reference[settled:rows], dtype=np.float64)
    found = np.asarray(given[settled:rows], dtype=np.float64)
    defined = ~np.isnan(right)
    if not np.array_equal(defined, ~np.isnan(found)):
        return inf
    if not defined.any():
        return 0.0
    scale = float(np.abs(right[defined]).max())
    return float(np.abs(found[defined] - right[defined]).max()) / (scale or 1.0)

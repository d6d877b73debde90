"""Slope: how fast something grows, and how fast it may grow at most given how it scatters. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

from candlewick.errors import InputError

LEAST = 8
"""Points below which the limit would mean little."""


@dataclass(frozen=True)
class Slope:
    """``value``: of the least-squares line. ``upper``: the upper end of its 95% confidence interval (two-sided)."""

    value: float
    upper: float


def slope_of(x: Sequence[float], y: Sequence[float]) -> Slope:
    """The slope of y over x. Raises InputError for fewer than LEAST points, or none that differ in x."""
    if len(x) != len(y) or len(x) < LEAST:
        raise InputError("points", (len(x), len(y)), f"give {LEAST} or more, one y for each x")
    across = np.asarray(x, dtype=np.float64) - np.mean(x)
    up = np.asarray(y, dtype=np.float64) - np.mean(y)
    spread = float(across @ across)
    if spread == 0.0:
        raise InputError("x", x[0], "give points that differ in x", "stands at every point")
    value = float(across @ up) / spread
    rest = up - value * across
    error = sqrt(float(rest @ rest) / (len(x) - 2) / spread)
    return Slope(value, value + student(len(x) - 2) * error)


def student(freedom: int, share: float = 0.975) -> float:
    """Student's quantile by Cornish and Fisher's expansion: right to 0.005 from six degrees of freedom on."""
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return float(z + sum(term / freedom**power for power, term in enumerate(terms, 1)))

"""Written: to how many digits the numbers of a column are written, and so how far each may be off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Self

import numpy as np

from candlewick.columnar import Floats

EXACT = 15
"""Significant digits from which on a number is written in full."""


@dataclass(frozen=True)
class Written:
    """The most digits behind the point, and the most significant ones, among the numbers of one column."""

    decimals: int
    significant: int

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Of numbers as texts; what is no number is passed over."""
        decimals = significant = 0
        for text in set(texts):
            try:
                number = Decimal(text)
            except InvalidOperation:
                continue
            exponent = number.as_tuple().exponent
            if isinstance(exponent, int):  # else infinite or none
                decimals = max(decimals, -exponent)
                significant = max(significant, len(number.as_tuple().digits))
        return cls(decimals, significant)

    @classmethod
    def of_numbers(cls, values: Floats) -> Self:
        """Of floats, in their shortest form."""
        return cls.of(repr(value).removesuffix(".0") for value in values[np.isfinite(values)].tolist())

    def half(self, values: Floats) -> Floats:
        """Half a unit of the last digit at each value: by decimals, or by significant digits where that is more."""
        by_decimals = 0.5 * 10.0**-self.decimals
        if not self.significant:
            return np.full(len(values), by_decimals)
        sizes = np.abs(np.where(np.isfinite(values) & (values != 0), values, 1e-300))
        by_significant = 0.5 * 10.0 ** (np.floor(np.log10(sizes)) + 1 - self.significant)
        return np.maximum(by_decimals, by_significant)

    def __str__(self) -> str:
        return f"{self.decimals} digit{'' if self.decimals == 1 else 's'} behind the point"

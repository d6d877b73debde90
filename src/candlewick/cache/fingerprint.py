"""Fingerprint: one name for everything that an answer's numbers depend on."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from candlewick.aggregation.fold import TEXT
from candlewick.engine.kernel_choice import version_of
from candlewick.engine.plan import plan
from candlewick.indicators.indicator import Indicator
from candlewick.kernels import kernel_version

Part = str | int | None | tuple[str, ...]


def fingerprint(**parts: Part) -> str:
    """32 hex digits over the parts by name, in any order: different parts, different digits.

    A part is text, a whole number, truth, nothing, or a tuple of texts; each kind counts as itself.
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@lru_cache(maxsize=512)
def arithmetic_of(indicators: tuple[Indicator, ...]) -> str:
    """Names what computes bars and these definitions: equal names give equal bits."""
    return kernel_version(TEXT) + (version_of(plan(indicators)) if indicators else "")


@lru_cache(maxsize=512)
def texts_of(indicators: tuple[Indicator, ...]) -> tuple[str, ...]:
    """The text forms of these definitions."""
    return tuple(one.text for one in indicators)

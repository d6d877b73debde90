"""Look: what a look-up finds in a view; Cut: which of its bars an answer shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Look(IntEnum):
    """What a look-up found, from best to worst."""

    HIT = 0
    EXTENSION = 1
    MISS = 2


@dataclass(frozen=True)
class Cut:
    """Bars number ``first`` to before ``last`` of a view, the first ``final`` of them final.

    ``forming``: how many bars of the range are not final, be they in the cut or left out; ``starts`` and ``ends``: of
    the newest bar of the range, 0 when there is none.
    """

    first: int
    last: int
    final: int
    forming: int
    starts: int
    ends: int

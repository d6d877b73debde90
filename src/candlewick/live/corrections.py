"""Corrections: from when on bars were others, by the revision that brought it, for clients that come back. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MOST = 256
"""Corrections that are known; beyond that the oldest is forgotten."""


@dataclass(frozen=True)
class Corrections:
    """What happened after revision ``known``: pairs of revision and time (microseconds UTC), both ascending. A later
    correction hides the earlier ones that reach less far back."""

    known: int
    made: tuple[tuple[int, int], ...] = ()

    def noted(self, revision: int, since: int) -> Corrections:
        """With a further correction, from ``since`` on."""
        made = (*(one for one in self.made if one[1] < since), (revision, since))
        if len(made) <= MOST:
            return Corrections(self.known, made)
        return Corrections(made[0][0], made[1:])

    def after(self, revision: int) -> int | None:
        """From when on bars are others than at ``revision``, which is `known` or later; None when none is."""
        return next((since for at, since in self.made if at > revision), None)

"""Tally: incidents of one kind within a step: one toss for each key and window, kept in two counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from candlewick.delivery.evidence import e_value

REMEMBERED = 10_000
"""Keys whose last incident is known; of more the oldest half is forgotten. A forgotten key is as good as a new one."""


@dataclass(frozen=True)
class Tally:
    """``incidents`` and how many of them blame V2; ``repeated``: those whose key's incident before blamed V2.

    All incidents together find a V2 that is bad everywhere; the repeated ones find a few bad keys among many on which
    V1 is the worse one, or badness that comes late. Both are fair tosses if V2 is no worse, since what is counted is
    known before it is tossed; the mean of both e-values is one as well.
    """

    incidents: int = 0
    blaming_v2: int = 0
    repeated: int = 0
    repeated_blaming_v2: int = 0
    e_value: float = 1.0
    last: Mapping[str, tuple[float, bool]] = field(default_factory=dict, repr=False)

    def add(self, key: str, at: float, blames_v2: bool, window: float) -> Tally:
        """With one incident more; the same when the key had one within ``window`` seconds."""
        before = self.last.get(key)
        if before is not None and at - before[0] < window:
            return self
        again = before is not None and before[1]
        incidents, blaming = self.incidents + 1, self.blaming_v2 + blames_v2
        repeated, repeating = self.repeated + again, self.repeated_blaming_v2 + (again and blames_v2)
        return Tally(
            incidents,
            blaming,
            repeated,
            repeating,
            (e_value(incidents, blaming) + e_value(repeated, repeating)) / 2,
            _with(self.last, key, (at, blames_v2)),
        )

    @property
    def blamed(self) -> list[str]:
        """Keys whose last incident blames V2, the newest first; at most ten."""
        keys = [key for key, (_, blames_v2) in self.last.items() if blames_v2]
        return keys[:-11:-1]


def _with(last: Mapping[str, tuple[float, bool]], key: str, found: tuple[float, bool]) -> dict[str, tuple[float, bool]]:
    kept = dict(last)
    kept.pop(key, None)  # so that the newest is the last one
    kept[key] = found
    if len(kept) > REMEMBERED:
        return dict(list(kept.items())[len(kept) // 2 :])
    return kept

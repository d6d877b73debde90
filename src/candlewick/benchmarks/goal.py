"""Goal: a figure to reach, judged against what was measured side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

FULL_SPEED = 23.0
"""GB/s of ``np.copyto`` at which goals in nanoseconds hold as they stand; a slower machine is given more time."""


@dataclass(frozen=True)
class Standing:
    """Best nanoseconds a unit of ours, of each measured peer, and of the copy; ``copy_speed`` in GB/s.

    ``figures``: what ours measured beside the time, by name.
    """

    ours: float
    peers: Mapping[str, float]
    copy: float
    copy_speed: float
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """``figure``: what was reached, in the goal's own measure. ``met``: None where the peer was not measured."""

    text: str
    figure: float | None
    met: bool | None


@dataclass(frozen=True)
class Faster:
    """At least ``factor`` times as fast as a peer."""

    factor: float
    peer: str

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.factor:g}x {self.peer}"

    def judge(self, standing: Standing) -> Verdict:
        """How many times as fast."""
        if self.peer not in standing.peers:
            return Verdict(self.text, None, None)
        figure = standing.peers[self.peer] / standing.ours
        return Verdict(self.text, figure, figure >= self.factor)


@dataclass(frozen=True)
class Within:
    """At most ``nanoseconds`` a unit. ``words`` may state it as a rate."""

    nanoseconds: float
    words: str = ""

    @property
    def text(self) -> str:
        """In words."""
        return self.words or f"{self.nanoseconds:g} ns"

    def judge(self, standing: Standing) -> Verdict:
        """Nanoseconds a unit, allowed more on a machine that copies more slowly than FULL_SPEED."""
        allowed = self.nanoseconds * max(1.0, FULL_SPEED / standing.copy_speed)
        scaled = "" if allowed == self.nanoseconds else f" (here {allowed:.3g} ns)"
        return Verdict(f"{self.text}{scaled}", standing.ours, standing.ours <= allowed)


@dataclass(frozen=True)
class TimesTheCopy:
    """At most ``factor`` times as long as copying the same bytes."""

    factor: float

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.factor:g}x the copy"

    def judge(self, standing: Standing) -> Verdict:
        """How many times as long as the copy."""
        figure = standing.ours / standing.copy
        return Verdict(self.text, figure, figure <= self.factor)


@dataclass(frozen=True)
class AtLeast:
    """A figure beside the time that is to be so high. ``words`` state it for a reader."""

    figure: str
    least: float
    words: str

    @property
    def text(self) -> str:
        """In words."""
        return self.words

    def judge(self, standing: Standing) -> Verdict:
        """The figure; not judged where it was not measured."""
        found = standing.figures.get(self.figure)
        return Verdict(self.text, found, None if found is None else found >= self.least)


Goal = Faster | Within | TimesTheCopy | AtLeast


def all_met(verdicts: Sequence[Verdict]) -> bool | None:
    """False when one is missed, None when none is but one could not be judged, else True."""
    found = [verdict.met for verdict in verdicts]
    if False in found:
        return False
    return None if None in found else True

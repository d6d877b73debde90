"""Followed: what one series has given so far, and so what each message of its stream means. Pure: it reads nothing.

1. ``take`` turns a message into bars, or into a range to read again.
2. ``reading`` turns what was read into bars: corrected ones, new ones, and those that are no longer there.
3. ``since`` says from where to go on after the connection was lost: a bar is given as final once.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from candlewick.client.served_answer import ServedAnswer
from candlewick.client.streamed_bar import StreamedBar, bar_of, bars_of, moment_of

KEPT = 100_000
"""Final bars whose times are remembered: those before are taken for given, whatever they are."""


@dataclass(frozen=True)
class Reading:
    """Bars to read with GET: ``start <= time < end`` in milliseconds, None for no end. ``changed``: bars given before
    may be different now; else only what was not given is wanted. ``revision``: what is known of the series then."""

    start: int
    end: int | None
    changed: bool
    revision: int | None


class Followed:
    """One series of a stream. ``since``: the last bar of an earlier stream, if it goes on from there; of the bars
    before it nothing is known, so that none of them is missed when it goes away."""

    def __init__(self, symbol: str, timeframe: str, since: StreamedBar | None = None) -> None:
        self.symbol = symbol
        self.timeframe = timeframe
        self._revision = None if since is None else since.revision
        # A bar that was still forming is not behind us: it will come as final.
        self._floor = None if since is None else since.milliseconds - (not since.final)
        self._given: list[int] = [] if since is None or not since.final else [since.milliseconds]
        self._forming: set[int] = set()
        self._unsure: set[int] = set()
        self._read_at = 0

    @property
    def last(self) -> int | None:
        """The open of the last final bar that was given, in milliseconds."""
        if self._given and (self._floor is None or self._given[-1] > self._floor):
            return self._given[-1]
        return self._floor

    @property
    def since(self) -> dict[str, int] | None:
        """What the server is told after a lost connection; None: to begin with a snapshot."""
        if self.last is None or self._revision is None:
            return None
        return {"revision": self._revision, "time": self.last}

    def connected(self) -> None:
        """Messages are from a new connection: another server may count other revisions, and bars that formed may have
        gone meanwhile, which shows when a later one comes."""
        self._read_at = 0
        self._unsure = set(self._forming)

    def take(self, message: Mapping[str, Any]) -> Iterator[StreamedBar | Reading]:
        """What a message of this series gives. Kinds that are not known are for newer clients: nothing."""
        kind = message["kind"]
        if kind == "snapshot":
            yield from self._snapshot(message)
        elif kind in ("forming", "final"):
            bar = bar_of(self.symbol, self.timeframe, message["bar"], message["revision"])
            if bar.final or bar.revision >= self._read_at:  # else it is older than what was read
                yield from self._bar(bar)
            self._revision = bar.revision
        elif kind == "revision":
            yield Reading(message["from"], None, True, message["revision"])
        elif kind == "gap":
            yield Reading(message["from"], message["to"] + 1, False, None)

    def reading(self, asked: Reading, answer: ServedAnswer) -> Iterator[StreamedBar]:
        """What was read for ``asked``."""
        columns = {name: values.tolist() for name, values in answer.columns.items()}
        columns["time"] = answer["time"].astype("datetime64[ms]").astype("int64").tolist()
        bars = bars_of(self.symbol, self.timeframe, columns, answer.revision)
        there = {bar.milliseconds for bar in bars}
        end = math.inf if asked.end is None else asked.end
        yield from self._gone(asked.start, end, there, answer.revision)
        for bar in bars:
            if asked.start <= bar.milliseconds < end:
                yield from self._bar(bar, again=asked.changed)
        if asked.end is None:
            self._read_at = answer.revision
        if asked.revision is not None:
            self._revision = asked.revision

    def _snapshot(self, message: Mapping[str, Any]) -> Iterator[StreamedBar | Reading]:
        bars = bars_of(self.symbol, self.timeframe, message["columns"], message["revision"])
        behind = min(self._forming, default=None) if self.last is None else self.last + 1
        if bars and behind is not None and bars[0].milliseconds > behind:
            yield Reading(behind, bars[0].milliseconds, False, None)
        there = {bar.milliseconds for bar in bars}
        yield from self._gone(min(there, default=-math.inf), math.inf, there, message["revision"])
        for bar in bars:
            yield from self._bar(bar)
        self._revision = message["revision"]

    def _bar(self, bar: StreamedBar, *, again: bool = False) -> Iterator[StreamedBar]:
        """A bar, once; ``again``: also when it was given before, since it may have changed."""
        time, last = bar.milliseconds, self.last
        before = last is not None and time <= last
        if before and not again and (not bar.final or self._known(time)):
            return
        yield from [self._removed(one, bar.revision) for one in sorted(self._unsure) if one < time]
        self._unsure.discard(time)
        if bar.final:
            self._remember(time)
        elif not before:
            self._forming.add(time)
        yield bar.as_corrected() if before else bar

    def _known(self, time: int) -> bool:
        at = bisect_left(self._given, time)
        return (at < len(self._given) and self._given[at] == time) or (self._floor is not None and time <= self._floor)

    def _remember(self, time: int) -> None:
        at = bisect_left(self._given, time)
        if at == len(self._given) or self._given[at] != time:
            self._given.insert(at, time)
        self._forming = {one for one in self._forming if one > time}
        if len(self._given) > KEPT:
            gone = self._given.pop(0)
            self._floor = gone if self._floor is None else max(gone, self._floor)

    def _gone(self, start: float, end: float, there: set[int], revision: int) -> Iterator[StreamedBar]:
        """The bars that were given and are no longer there."""
        given = [*self._given[bisect_left(self._given, start) :], *sorted(self._forming)]
        for time in [one for one in given if start <= one < end and one not in there]:
            yield self._removed(time, revision)

    def _removed(self, time: int, revision: int) -> StreamedBar:
        if time in self._forming:
            self._forming.remove(time)
            self._unsure.discard(time)
        else:
            self._given.remove(time)
        return StreamedBar(
            self.symbol, self.timeframe, moment_of(time), {}, 0, False, revision, corrected=True, removed=True
        )

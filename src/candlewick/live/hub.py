"""Hub: which series are followed by whom; after a write each of them is looked at once, in threads of the hub.

1. `Hub.touch` marks the channels of a symbol; the clock marks those whose bar is over. A channel that is marked again
   while it waits is looked at once.
2. A thread takes a channel, looks (`Channel.look`), hands the messages to everybody who follows it, then lets those
   in who joined. No two threads hold one channel.
3. What fails for now is tried again; what cannot work is told to the followers, who are let go.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from threading import Condition, Thread
from typing import Any

from candlewick.errors import CandlewickError, ServiceError, StoreError, UnknownSeriesError
from candlewick.live.channel import Channel
from candlewick.live.message import Message
from candlewick.live.source import Source
from candlewick.live.subscription import Subscription, Topic

log = logging.getLogger(__name__)

IDLE = 1000
"""Channels that are remembered though nobody follows them, for those who come back."""

AGAIN = 1.0
"""Seconds after which what failed, or what should have become final by now, is looked at again."""


LONGEST = 15.0
"""Seconds after which the clock is looked at again, however long a bar has to go."""


@dataclass(eq=False)
class Follower:
    """Somebody who follows a series. ``to`` is whoever gets the messages; ``active`` until it is let go."""

    subscription: Subscription
    to: Any
    active: bool = True


Deliver = Callable[[Sequence[Follower], Sequence[Message], bool], None]
"""Called in a thread of the hub with those who get the messages; True when these are what a follower asked for."""

Refuse = Callable[[Follower, Exception], None]
"""Called in a thread of the hub: the follower cannot be served, and is let go."""


@dataclass(eq=False)
class _Line:
    """A channel with those who follow it and those who wait to. ``written``: when the oldest unseen write was told;
    ``due``: when its bar is over by the application's clock; ``wakes``: when that is looked at by the monotonic one."""

    channel: Channel
    followers: dict[Follower, None] = field(default_factory=dict)
    joining: list[Follower] = field(default_factory=list)
    written: float | None = None
    marked: bool = False
    held: bool = False
    due: int | None = None
    wakes: float | None = None


class Hub:
    """Everything that is followed. ``deliver`` may wait for those who are behind: threads of the hub wait with it."""

    def __init__(self, source: Source, deliver: Deliver, refuse: Refuse, *, threads: int = 2) -> None:
        self._source = source
        self._deliver = deliver
        self._refuse = refuse
        self._changed = Condition()
        self._lines: dict[Topic, _Line] = {}
        self._of_symbol: dict[str, dict[Topic, None]] = {}
        self._idle: OrderedDict[Topic, None] = OrderedDict()
        self._waiting: deque[_Line] = deque()
        self._later: list[tuple[float, int, _Line]] = []
        self._order = 0
        self._closed = False
        self._looks = self._failed = 0
        self._stop_listening = source.listen(self.touch)
        self._threads = [Thread(target=self._work, name=f"candlewick-live-{k}", daemon=True) for k in range(threads)]
        for thread in self._threads:
            thread.start()

    def follow(self, subscription: Subscription, to: Any) -> Follower:
        """Follow a series from now on: what was asked for comes first, in a thread of the hub."""
        follower = Follower(subscription, to)
        topic = subscription.topic
        with self._changed:
            line = self._lines.get(topic)
            if line is None:
                line = self._lines[topic] = _Line(Channel(topic, self._source))
                self._of_symbol.setdefault(topic.symbol, {})[topic] = None
            self._idle.pop(topic, None)
            line.joining.append(follower)
            self._mark(line)
        return follower

    def leave(self, follower: Follower) -> None:
        """Send a follower nothing more."""
        topic = follower.subscription.topic
        with self._changed:
            follower.active = False
            line = self._lines.get(topic)
            if line is None:
                return
            line.followers.pop(follower, None)
            if follower in line.joining:
                line.joining.remove(follower)
            self._rest(topic, line)

    def touch(self, symbols: Sequence[str]) -> None:
        """Series of these symbols were written to. Returns at once."""
        now = time.monotonic()
        with self._changed:
            for symbol in symbols:
                for topic in self._of_symbol.get(symbol, ()):
                    line = self._lines[topic]
                    if line.followers or line.joining:
                        line.written = now if line.written is None else line.written
                        self._mark(line)

    def stats(self) -> dict[str, int]:
        """``series`` that are followed, each with how many ``subscriptions``; ``looks`` at them, and which ``failed``;
        ``waiting`` now."""
        with self._changed:
            followed = [len(line.followers) + len(line.joining) for line in self._lines.values()]
            return {
                "series": sum(1 for count in followed if count),
                "subscriptions": sum(followed),
                "looks": self._looks,
                "failed_looks": self._failed,
                "waiting": len(self._waiting),
            }

    def close(self, seconds: float = 2.0) -> None:
        """Let go of the threads; one that hangs ends by itself."""
        self._stop_listening()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _mark(self, line: _Line) -> None:
        if not line.marked:
            line.marked = True
            if not line.held:
                self._waiting.append(line)
                self._changed.notify()

    def _rest(self, topic: Topic, line: _Line) -> None:
        """Remember a line that nobody follows any more, but not for ever. One that is held may get followers yet."""
        if line.held or line.followers or line.joining or self._lines.get(topic) is not line:
            return
        self._idle[topic] = None
        self._idle.move_to_end(topic)
        if len(self._idle) > IDLE:
            self._forget(next(iter(self._idle)))

    def _forget(self, topic: Topic) -> None:
        del self._idle[topic], self._lines[topic]
        others = self._of_symbol[topic.symbol]
        del others[topic]
        if not others:
            del self._of_symbol[topic.symbol]

    def _work(self) -> None:
        while (line := self._next()) is not None:
            try:
                self._serve(line)
            except Exception:
                log.exception("a look at %s ended in a defect", line.channel.topic.symbol)
            finally:
                self._let_go(line)

    def _next(self) -> _Line | None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                while self._later and self._later[0][0] <= now:
                    wakes, _, line = heappop(self._later)
                    if wakes == line.wakes:  # else it was put off, or has been looked at
                        self._woken(line)
                if self._waiting:
                    line = self._waiting.popleft()
                    line.marked, line.held = False, True
                    return line
                self._changed.wait(self._later[0][0] - now if self._later else None)
            return None

    def _let_go(self, line: _Line) -> None:
        with self._changed:
            line.held = False
            if line.marked:
                self._waiting.append(line)
                self._changed.notify()
            self._rest(line.channel.topic, line)

    def _serve(self, line: _Line) -> None:
        with self._changed:
            joining, line.joining = line.joining, []
            followers, written, line.written = list(line.followers), line.written, None
            if not followers and not joining:
                return
            self._looks += 1
        try:
            messages = line.channel.look(written)
        except Exception as error:  # noqa: BLE001 - told to those who follow, or tried again
            self._failure(line, followers, joining, error, written)
            return
        if messages and followers:
            self._deliver(followers, messages, False)
        for follower in joining:
            self._let_in(line, follower)
        self._wait_for_the_clock(line)

    def _let_in(self, line: _Line, follower: Follower) -> None:
        try:
            messages = line.channel.join(follower.subscription)
        except Exception as error:  # noqa: BLE001 - told to the one who asked
            self._let_down(line, follower, error)
            return
        with self._changed:
            if not follower.active:
                return
            line.followers[follower] = None
        self._deliver([follower], messages, True)

    def _failure(
        self,
        line: _Line,
        followers: Sequence[Follower],
        joining: Sequence[Follower],
        error: Exception,
        written: float | None,
    ) -> None:
        passing = isinstance(error, ServiceError | StoreError) and not isinstance(error, UnknownSeriesError)
        for follower in joining if passing else [*joining, *followers]:
            self._let_down(line, follower, error)
        with self._changed:
            self._failed += 1
            if passing:
                line.written = written if line.written is None else line.written
                line.due = None
                self._look_later(line, AGAIN)
            else:
                line.channel.known = None  # what comes next begins anew

    def _let_down(self, line: _Line, follower: Follower, error: Exception) -> None:
        if not isinstance(error, CandlewickError):
            log.error("following %s failed", line.channel.topic.symbol, exc_info=error)
        active = follower.active
        self.leave(follower)
        if active:
            self._refuse(follower, error)

    def _woken(self, line: _Line) -> None:
        line.wakes = None
        until = self._source.complete_until()
        if line.due is not None and until is not None and until < line.due:
            self._look_later(line, (line.due - until) / 1e6)
        elif line.followers:
            self._mark(line)

    def _wait_for_the_clock(self, line: _Line) -> None:
        due, until = line.channel.due(), self._source.complete_until()
        with self._changed:
            line.due = due
            if due is not None and until is not None:
                self._look_later(line, (due - until) / 1e6 if due > until else AGAIN)

    def _look_later(self, line: _Line, seconds: float) -> None:
        """The application's clock may be set meanwhile: it is looked at now and then."""
        wakes = time.monotonic() + min(seconds, LONGEST)
        if line.wakes is None or wakes < line.wakes:
            line.wakes = wakes
            self._order += 1
            heappush(self._later, (wakes, self._order, line))
            self._changed.notify()

"""Outbox: messages on their way to one client, bounded, and conflated while the client is slow. Pure.

Of a bar that forms only its newest state waits. A revision takes the place of the bars that the client will read again
anyway, and two revisions are one. What is new always stands last, so that whoever has seen a message of one revision
has seen everything of the revisions before.
"""

from __future__ import annotations

from typing import NamedTuple

from candlewick.live.message import FINAL, FORMING, REVISION, Message, revised

MOST_MESSAGES = 2048
MOST_BYTES = 1 << 20
"""What may wait for one client, beside what it asked for itself: snapshots and backfills."""


class Waiting(NamedTuple):
    """A message and the mark (JSON of the id) of its subscription. ``asked``: not counted against the limits."""

    mark: bytes
    message: Message
    asked: bool

    @property
    def size(self) -> int:
        """Bytes, about."""
        return len(self.message.body) + 64


class Outbox:
    """Messages in the order in which they are sent. Used by one thread."""

    def __init__(self, messages: int = MOST_MESSAGES, size: int = MOST_BYTES) -> None:
        self.overflown = False
        self.asked = 0
        self._most = messages, size
        self._bytes = 0
        self._count = 0
        self._next = 0
        self._waiting: dict[int, Waiting] = {}
        self._forming: dict[tuple[bytes, int], int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, mark: bytes, message: Message, *, asked: bool = False) -> None:
        """Let a message wait. ``overflown`` is True from then on when it was one too many: the client is too slow."""
        if message.kind in (FORMING, FINAL):
            place = self._forming.get((mark, message.time))
            if place is not None:
                self._drop(place)
        elif message.kind == REVISION:
            message = self._instead(mark, message)
        one = Waiting(mark, message, asked)
        self._waiting[self._next] = one
        if message.kind == FORMING:
            self._forming[mark, message.time] = self._next
        self._next += 1
        self._count_in(one)
        if self._count > self._most[0] or self._bytes > self._most[1]:
            self.overflown = True

    def pop(self) -> Waiting | None:
        """The next message to send; None when none waits."""
        for place in self._waiting:
            return self._drop(place)
        return None

    def forget(self, mark: bytes) -> None:
        """Send nothing more of a subscription."""
        for place in [place for place, one in self._waiting.items() if one.mark == mark]:
            self._drop(place)

    def _instead(self, mark: bytes, message: Message) -> Message:
        since = message.time
        for place, one in list(self._waiting.items()):
            if one.mark != mark:
                continue
            if one.message.kind == REVISION:
                since = min(since, one.message.time)
                self._drop(place)
            elif one.message.kind in (FORMING, FINAL) and one.message.time >= message.time:
                self._drop(place)
        return message if since == message.time else revised(message.revision, since, message.written)

    def _drop(self, place: int) -> Waiting:
        one = self._waiting.pop(place)
        if one.message.kind == FORMING:
            self._forming.pop((one.mark, one.message.time), None)
        return self._counted_out(one)

    def _count_in(self, one: Waiting) -> None:
        if one.asked:
            self.asked += one.size
        else:
            self._count += 1
            self._bytes += one.size

    def _counted_out(self, one: Waiting) -> Waiting:
        if one.asked:
            self.asked -= one.size
        else:
            self._count -= 1
            self._bytes -= one.size
        return one

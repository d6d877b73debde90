"""Message: what is sent of a series, encoded once; only the subscription's id differs between clients. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from candlewick.live.rows import Rows
from candlewick.service.answer import Answer

SNAPSHOT = "snapshot"
FORMING = "forming"
FINAL = "final"
REVISION = "revision"
GAP = "gap"
REFUSED = "refused"
BYE = "bye"


@dataclass(frozen=True, eq=False, slots=True)
class Message:
    """``time``: of the bar, or from when a revision holds, milliseconds. ``written``: when the write that led to it was
    told, in seconds of the monotonic clock; None where none did."""

    kind: str
    body: bytes
    time: int = 0
    revision: int = 0
    written: float | None = None

    def text(self, mark: bytes) -> bytes:
        """The JSON of the message; ``mark`` is the subscription's id as JSON."""
        return b'{"kind":"%b","id":%b,%b' % (self.kind.encode(), mark, self.body)


def snapshot(answer: Answer) -> Message:
    """An answer, with everything that GET has in its body."""
    return Message(SNAPSHOT, answer.json().lstrip()[1:], revision=answer.revision)


def bars(columns: Sequence[str], rows: Rows, revision: int, written: float | None = None) -> list[Message]:
    """A message for each row: ``final`` or ``forming``. ``columns`` names the values of a row."""
    made = []
    for time, values, n, final in zip(
        (rows.time // 1000).tolist(), rows.values.tolist(), rows.n.tolist(), rows.final.tolist(), strict=True
    ):
        bar = {"time": time} | dict(zip(columns[:5], values[:5], strict=True)) | {"n": n, "final": final}
        bar |= dict(zip(columns[5:], values[5:], strict=True))  # msgspec writes NaN as null
        body = b'"revision":%d,"bar":%b}' % (revision, msgspec.json.encode(bar))
        made.append(Message(FINAL if final else FORMING, body, time, revision, written))
    return made


def revised(revision: int, since: int, written: float | None = None) -> Message:
    """Bars from ``since`` on (milliseconds) are others than were sent: read them again."""
    return Message(REVISION, b'"revision":%d,"from":%d}' % (revision, since), since, revision, written)


def gap(since: int, until: int) -> Message:
    """Bars of ``since <= time < until`` (milliseconds) are not sent: read them."""
    return Message(GAP, b'"from":%d,"to":%d}' % (since, until), since)


def refused(problem: bytes) -> Message:
    """The subscription cannot be served; ``problem`` is a problem document's JSON."""
    return Message(REFUSED, b'"problem":%b}' % problem)


def milliseconds(microseconds: int) -> int:
    """A time as messages and answers have it."""
    return int(np.int64(microseconds) // 1000)

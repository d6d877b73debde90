"""Channel: one series followed: what is known of it, looked at anew after a write or when a bar is over.

1. The record of the stored series is read before the bars: a write in between is looked at again the next time.
2. Where only later candles came, the bars from the last final one on are asked for (`_look`).
3. Where the past changed, the bars from the day that the store names are, as far as they are held; what lies before
   is a revision from that day on, whether or not its bars differ.
4. Another engine or another stored series means other values throughout: a revision from the first bar anybody has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from candlewick.errors import UnknownSeriesError
from candlewick.live.corrections import Corrections
from candlewick.live.message import Message, bars, gap, milliseconds, revised, snapshot
from candlewick.live.reach import bar_at, end_of, reach_back
from candlewick.live.rows import Rows, columns_of
from candlewick.live.source import Source
from candlewick.live.subscription import Since, Subscription, Topic
from candlewick.live.tail import Tail
from candlewick.service.answer import Answer
from candlewick.service.request import Request
from candlewick.store.history import DAY
from candlewick.store.repository import Series

TRIES = 3
"""Times that a series which a write brought meanwhile is looked for."""


@dataclass(frozen=True)
class Known:
    """What the last look saw. ``oldest``: the first bar that anybody was sent; ``until``: up to when bars were final;
    microseconds UTC."""

    series: Series
    engine: str
    tail: Tail
    corrections: Corrections
    oldest: int
    until: int


class Channel:
    """Used by one thread at a time. Raises what the application raises, and is then as it was before."""

    def __init__(self, topic: Topic, source: Source) -> None:
        self.topic = topic
        self.known: Known | None = None
        self._source = source

    def look(self, written: float | None = None) -> list[Message]:
        """What is new since the last look, for those who were sent everything before. The first look is silent."""
        known = self.known
        if known is None:
            self.known = self._begun()
            return []
        until = self._source.complete_until() or 0
        record = next((one for one in self._records() if one.timeframe == known.series.timeframe), None)
        since, rewritten = known.tail.asks, None
        if until < known.until:  # the clock was set back: bars that were final may not be
            since = known.tail.floor
        if record is not None and record.generation != known.series.generation:
            changed = self._source.first_changed(record.symbol, record.timeframe, known.series.revision)
            if changed is not None:
                first = bar_at(record, self.topic.timeframe, changed)
                rewritten = first if first < known.tail.floor else None
                since = max(known.tail.floor, min(first, since))
        record, answer = self._asked(since)
        if record.timeframe != known.series.timeframe or (answer.engine != known.engine and answer.indicators):
            return self._begun_again(known, record, written)
        step = known.tail.advance(Rows.of(answer), since)
        at = min((one for one in (rewritten, step.revised) if one is not None), default=None)
        self.known = replace(known, series=record, engine=answer.engine, tail=step.tail, until=until)
        if at is None:
            return bars(columns_of(answer), step.rows, record.revision, written)
        # The bars may be of a later write than the record, or be others without any: who comes back is told as well.
        silent = record.revision == known.series.revision
        noted = known.corrections.noted(max(record.revision, answer.revision) + silent, at)
        self.known = replace(self.known, corrections=noted)
        return [revised(record.revision, milliseconds(at), written)]

    def join(self, subscription: Subscription) -> list[Message]:
        """What a client is sent first; it follows from here on. To be called after a look."""
        known = self.known or self._begun()
        if subscription.since is not None:
            messages, oldest = self._backfill(known, subscription.bars, subscription.since)
        else:
            answer = self._newest(known, subscription.bars)
            messages = [snapshot(answer)]
            oldest = int(answer.bars.microseconds[0]) if len(answer.bars) else known.oldest
        self.known = replace(known, oldest=min(known.oldest, oldest))
        return messages

    def due(self) -> int | None:
        """When the first bar that forms is over, microseconds UTC; None when nothing becomes final by the clock."""
        opened = None if self.known is None else self.known.tail.forming
        if self.known is None or opened is None or self._source.complete_until() is None:
            return None
        return end_of(self.known.series, self.topic.timeframe, opened)

    def _begun(self) -> Known:
        until = self._source.complete_until() or 0
        records = self._records()
        newest = max((one.last for one in records), default=0)
        start = newest // DAY * DAY
        serving = next((one for one in records if one.timeframe.divides(self.topic.timeframe)), None)
        if serving is not None:
            start = bar_at(serving, self.topic.timeframe, start)
        record, answer = self._asked(start)
        while not answer.bars.final[:1].any() and start > record.first:  # what forms must be held, however old it is
            start -= max(DAY, newest - start)
            record, answer = self._asked(start)
        tail = Tail.of(Rows.of(answer), start)
        corrections = Corrections(max(record.revision, answer.revision))
        return Known(record, answer.engine, tail, corrections, tail.floor, until)

    def _begun_again(self, before: Known, record: Series, written: float | None) -> list[Message]:
        """Every value may be another one, also for those who come back with this very revision."""
        now = self._begun()
        corrections = before.corrections.noted(max(record.revision, now.corrections.known) + 1, before.oldest)
        self.known = replace(now, corrections=corrections, oldest=min(before.oldest, now.oldest))
        return [revised(now.series.revision, milliseconds(before.oldest), written)]

    def _backfill(self, known: Known, most: int, since: Since) -> tuple[list[Message], int]:
        messages = []
        changed = self._changed(known, since)
        if changed is not None and milliseconds(changed) <= since.time:
            messages.append(revised(known.series.revision, milliseconds(changed)))
        start, after = since.time * 1000, reach_back(known.series, self.topic.timeframe, most + 1)
        answer = self._asked(start if after is None else max(start, after))[1]
        rows = Rows.of(answer)
        rows = rows.chosen(rows.time // 1000 > since.time)
        over = int(rows.final.sum()) - most
        if over > 0:
            rows = rows.chosen(slice(over, None))
        if over > 0 or (after is not None and after > start):
            until = milliseconds(int(rows.time[0])) if len(rows) else milliseconds(known.series.last) + 1
            messages.append(gap(since.time + 1, max(until, since.time + 1)))
        return messages + bars(columns_of(answer), rows, known.series.revision), start

    def _changed(self, known: Known, since: Since) -> int | None:
        """From when on bars are others than a client has that knows ``since``; None when none is."""
        record = known.series
        if since.revision > record.revision:  # of another store than this one
            return record.first
        if since.revision >= known.corrections.known:
            return known.corrections.after(since.revision)
        changed = self._source.first_changed(record.symbol, record.timeframe, since.revision)
        return None if changed is None else bar_at(record, self.topic.timeframe, changed)

    def _newest(self, known: Known, most: int) -> Answer:
        """The last ``most`` bars, and all that form: news of those will come. It answers a request for exactly them."""
        room, series = most, known.series
        while True:
            start = reach_back(series, self.topic.timeframe, room)
            answer = self._ask(start)
            if len(answer.bars) >= most or start is None:
                break
            room *= 4
        time = answer.bars.microseconds
        first = int(time[-most]) if len(time) >= most else start
        if known.tail.forming is not None and first is not None:
            first = min(first, known.tail.forming)
        return answer if first == start else self._ask(first)

    def _asked(self, start: int | None) -> tuple[Series, Answer]:
        """Bars from ``start`` on, and the record of the stored series that they are made of, which is not newer."""
        for _ in range(TRIES):
            records = self._records()
            answer = self._ask(start)
            for record in records:
                if record.timeframe == answer.source:
                    return record, answer
        raise UnknownSeriesError("symbol", self.topic.symbol, ())

    def _ask(self, start: int | None) -> Answer:
        topic = self.topic
        return self._source.candles(
            Request(topic.symbol, topic.timeframe, topic.indicators, start=start), topic.engine
        ).answer

    def _records(self) -> list[Series]:
        return self._source.series_of(self.topic.symbol)

"""PostgresCatalogue: what one process knows of the series in a PostgreSQL store, and how that follows the database.

1. A commit anywhere counts up one number. A look (`look`) reads it, and what came since when it rose.
2. What this process committed itself is known before its call returns (`publish`), without a look.
3. An entry only ever gives way to one of a later commit, so it does not matter who comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from candlewick.store import split_table
from candlewick.store.catalogue import Catalogue, Entry
from candlewick.store.postgres_series import Held, Known, changed_since, counter
from candlewick.store.splits import Split

Told = Callable[[Sequence[str]], None]


class PostgresCatalogue:
    """``current``: every series that was ever written; ``known``: the same entries by id. Both are never changed, only
    replaced. ``told`` is called with the symbols that others changed."""

    def __init__(self) -> None:
        self.current: Catalogue[Held] = Catalogue.empty()
        self.known: Known = {}
        self.told: Told | None = None
        self._seen = 0
        self._split_at = 0
        self._lock = Lock()

    def look(self, cursor: Any) -> bool:
        """Bring it up to the database; whether another process had changed it. One look at a time."""
        count, split_at = counter(cursor)
        if count == self._seen:
            return False
        back = count < self._seen  # the database was put back to an earlier state: what was known is of no use
        if split_at > self._split_at or back:
            self.publish_splits(split_at, split_table.kept(cursor), again=back)
        if back:
            changed = changed_since(cursor, 0, {})
            with self._lock:
                self.current = Catalogue[Held]({}, {}, self.current.splits).changed({one.key: one for one in changed})
                self.known = {one.place.id: one for one in changed}
        else:
            changed = self.publish(changed_since(cursor, self._seen, self.known))
        self._seen = count
        told = self.told
        if changed and told is not None:
            told(sorted({entry.series.symbol for entry in changed}))
        return bool(changed)

    def publish(self, fresh: Sequence[Entry[Held]]) -> list[Entry[Held]]:
        """Make entries known that are newer than those that are; which those were."""
        with self._lock:
            newer = [one for one in fresh if one.place.changed > self._changed(one.place.id)]
            if newer:
                self.known = {**self.known, **{one.place.id: one for one in newer}}
                self.current = self.current.changed({one.key: one for one in newer})
        return newer

    def publish_splits(self, count: int, splits: Mapping[str, tuple[Split, ...]], *, again: bool = False) -> None:
        """Make factors known that are newer than those that are, or whatever they are (``again``)."""
        with self._lock:
            if count > self._split_at or again:
                self._split_at = count
                self.current = replace(self.current, splits=splits)

    def _changed(self, number: int) -> int:
        return self.known[number].place.changed if number in self.known else -1

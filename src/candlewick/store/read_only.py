"""ReadOnly: another view of a store, for everything that only reads one."""

from __future__ import annotations

from candlewick.errors import StoreError
from candlewick.store.forwarding import Forwarding
from candlewick.store.repository import CandleRepository

WRITING = frozenset({"upsert_many", "delete", "purge", "quarantine", "set_split", "remove_split", "compact"})


class ReadOnly(Forwarding):
    """Passes every question on to ``store``; a subclass says what it answers otherwise.

    Writing is a StoreError; closing it leaves the store open. ``how``: which view it is, in words.
    """

    how: str

    def close(self) -> None:
        """Nothing is held."""

    def _asked(self, method: str) -> CandleRepository:
        if method in WRITING:
            raise StoreError(f"store: {self.url} {self.how} cannot be written to")
        return self._store

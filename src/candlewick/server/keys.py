"""Keys: what every place that keeps keys promises, and in which order things happen there.

A change is in the control journal too. The order is such that neither a key nor a revocation can be without the other's
trace in a harmful way: a key is journalled before it is valid, and revoked before that is journalled.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol, Self

from candlewick.clock import Clock, SystemClock
from candlewick.errors import InputError, StoreError, UnknownNameError
from candlewick.server.key import Key, digest_of, draw
from candlewick.server.roles import find_role

LONGEST_NAME = 60
HOUR = 3_600_000_000
"""Microseconds: as closely is it kept when a key last came in."""


class Note(Protocol):
    """Where a change is journalled, as `ControlJournal.note` does it."""

    def __call__(self, name: str, old: object, new: object, *, who: str, why: str = "") -> object:
        """On disk when this returns."""


class Keys(ABC):
    """The keys of a store, hashes only. ``poll``: seconds between two looks of a server at `version`.

    Safe for many threads and processes. Raises StoreError where they cannot be read or written.
    """

    poll = 0.1

    def __init__(self, *, note: Note, clock: Clock | None = None) -> None:
        self._note = note
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()

    @abstractmethod
    def all(self) -> list[Key]:
        """Every key, also those that are revoked, oldest first."""

    @abstractmethod
    def used(self, numbers: Iterable[str]) -> None:
        """Keep that these keys came in within this hour."""

    @abstractmethod
    def version(self) -> tuple[object, int]:
        """Another value after any change, by whomever, also where all of it was replaced; takes microseconds."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is open. Closing twice is harmless."""

    def create(self, name: str, role: str, *, who: str, why: str = "") -> tuple[Key, str]:
        """A new key, and what has to be sent for it: that can be had here only. Raises UnknownNameError for a role that
        there is not, InputError for a name that is none or that a valid key has."""
        find_role(role)
        _check_name(name)
        with self._lock, self._told("written"), self._changing():
            stored = self._stored()
            if any(one.valid and one.name == name for one in stored):
                raise InputError("name", name, "give another, or revoke that one first", "is a valid key's already")
            number, whole = draw()
            while any(one.id == number for one in stored):
                number, whole = draw()
            key = Key(number, name, role, digest_of(whole.encode()), self._clock.wall())
            self._note(number, "", f"{name} ({role})", who=who, why=why)
            self._add(key)
            return key, whole

    def revoke(self, number: str, *, who: str, why: str = "") -> Key:
        """Make a key invalid, for good; revoking it again is harmless. Raises UnknownNameError for an unknown id."""
        with self._lock, self._told("written"):
            stored = {one.id: one for one in self.all()}
            if number not in stored:
                raise UnknownNameError("id", number, stored, expected="give one that `candlewick keys list` shows")
            if not stored[number].valid:
                return stored[number]
            with self._changing():
                self._revoke(number, self._clock.wall())
            key = next(one for one in self.all() if one.id == number)
        try:
            self._note(number, f"{key.name} ({key.role})", "revoked", who=who, why=why)
        except StoreError as error:
            raise StoreError(f"keys: {number} is revoked, but the journal does not say so: {error}") from error
        return key

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @abstractmethod
    def _told(self, done: str) -> AbstractContextManager[None]:
        """What cannot be ``done``, as an error of ours."""

    @abstractmethod
    def _changing(self) -> AbstractContextManager[object]:
        """A transaction that others who change keys wait for; where nothing is kept yet, the place is made."""

    @abstractmethod
    def _stored(self) -> list[Key]:
        """The keys, inside `_changing`."""

    @abstractmethod
    def _add(self, key: Key) -> None:
        """Keep a new key, inside `_changing`."""

    @abstractmethod
    def _revoke(self, number: str, at: int) -> None:
        """Revoke a key that is not revoked yet, inside `_changing`."""


def _check_name(name: str) -> None:
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        expected = f"give up to {LONGEST_NAME} characters that say whose it is, such as desk-7"
        raise InputError("name", name, expected, "is no name for a key")

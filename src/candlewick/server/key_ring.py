"""KeyRing: the valid keys of a running server, never older than a second.

A thread looks whether they changed; who comes in is looked up in memory. When they can no longer be read for `BLIND`
seconds, nobody is let in: a key might have been revoked meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
from hmac import compare_digest

from candlewick.errors import CandlewickError, StoreError, StoreUnavailableError
from candlewick.server.key import LENGTH, Key, digest_of, id_of
from candlewick.server.keys import HOUR, Keys

BLIND = 1.0
"""Seconds for which what was read last may hold when the file cannot be read."""

NOBODY = digest_of(b"nobody")
"""What a key with an unknown id is compared with, so that it takes as long as any other."""

log = logging.getLogger(__name__)


class KeyRing:
    """``find`` is for every request and takes some microseconds; changes go through `file` and hold here at once.

    ``watch`` before the first ``find``. Raises what `KeyFile` raises.
    """

    def __init__(self, file: Keys, *, poll: float | None = None) -> None:
        self.file = file
        self._poll = file.poll if poll is None else poll
        self._keys: dict[str, Key] = {}
        self._seen: set[str] = set()
        self._noted: tuple[int, frozenset[str]] = (0, frozenset())
        self._failing: tuple[float, CandlewickError] | None = None
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def problem(self) -> str | None:
        """Why no key can be trusted now; None when they can."""
        if self._thread is None or not self._thread.is_alive():
            return "nobody looks at the file"
        failing = self._failing
        return str(failing[1]) if failing is not None and time.monotonic() - failing[0] > BLIND else None

    @property
    def refusal(self) -> CandlewickError:
        """What somebody is told whose key cannot be looked up now: to come again, where that may help."""
        failing = self._failing
        if failing is not None and isinstance(failing[1], StoreUnavailableError):
            return failing[1]
        return StoreError(f"keys cannot be looked up now: {self.problem}")

    def watch(self) -> None:
        """Read the keys, and follow the file from now on. Doing so twice is harmless."""
        with self._lock:
            if self._thread is None and not self._ended.is_set():
                self.refresh()
                self._thread = threading.Thread(target=self._look, name="candlewick-keys", daemon=True)
                self._thread.start()

    def find(self, key: bytes) -> Key | None:
        """The valid key that this is; None when it is none."""
        if len(key) != LENGTH:
            return None
        known = self._keys.get(id_of(key))
        same = compare_digest(digest_of(key), NOBODY if known is None else known.digest)
        if not same or known is None or not known.valid:
            return None
        self._seen.add(known.id)
        return known

    def holds(self, number: str) -> bool:
        """Whether the key of this id is still valid."""
        known = self._keys.get(number)
        return known is not None and known.valid and self.problem is None

    def all(self) -> list[Key]:
        """Every key, as the file has them now."""
        return self.file.all()

    def create(self, name: str, role: str, *, who: str, why: str = "") -> tuple[Key, str]:
        """A new key, which holds from now on, and what has to be sent for it."""
        made = self.file.create(name, role, who=who, why=why)
        self.refresh()
        return made

    def revoke(self, number: str, *, who: str, why: str = "") -> Key:
        """Make a key invalid: nobody comes in with it once this returns."""
        try:
            return self.file.revoke(number, who=who, why=why)
        finally:
            self.refresh()

    def refresh(self) -> None:
        """Look at the file now."""
        self._keys = {one.id: one for one in self.file.all()}

    def close(self) -> None:
        """Keep who came in, and close the file. Closing twice is harmless."""
        with self._lock:
            self._ended.set()
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
            self._note_use()
        self.file.close()

    def _look(self) -> None:
        seen: object = None
        while not self._ended.wait(self._poll):
            try:
                version = self.file.version()
                if version != seen:
                    self.refresh()
                    seen = version
                self._failing = None
            except CandlewickError as error:
                if self._failing is None:
                    log.error("the keys cannot be read: soon nobody is let in until they can: %s", error)
                since = time.monotonic() if self._failing is None else self._failing[0]
                self._failing = (since, error)
            else:
                self._note_use()

    def _note_use(self) -> None:
        """Once an hour for each key: its last use is kept as closely as that."""
        if not self._seen:
            return
        came, self._seen = self._seen, set()
        hour = time.time_ns() // 1000 // HOUR
        noted = self._noted[1] if self._noted[0] == hour else frozenset()
        if not came <= noted:
            try:
                self.file.used(came - noted)
            except CandlewickError as error:
                log.warning("when keys came in last cannot be kept: %s", error)
                return
        self._noted = (hour, noted | came)

"""PostgresKeys: the keys of a PostgreSQL store, in its database, for all processes and machines that serve it.

Only hashes of long random keys are there: who may read the database cannot come in with what it finds. Nobody can
change a key, or make a revoked one valid again, by a statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from candlewick.clock import Clock
from candlewick.errors import StoreError
from candlewick.postgres_address import IDLE_SECONDS, PostgresAddress
from candlewick.postgres_patience import patient
from candlewick.server.key import Key
from candlewick.server.keys import HOUR, Keys, Note

_TABLES = """
CREATE TABLE control_keys (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE, name text NOT NULL,
    role text NOT NULL, hash bytea NOT NULL, created bigint NOT NULL, revoked bigint, used bigint
);
CREATE FUNCTION control_keys_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN RAISE EXCEPTION 'keys are never deleted'; END IF;
    IF (NEW.number, NEW.id, NEW.name, NEW.role, NEW.hash, NEW.created)
        IS DISTINCT FROM (OLD.number, OLD.id, OLD.name, OLD.role, OLD.hash, OLD.created)
        OR OLD.revoked IS NOT NULL AND NEW.revoked IS DISTINCT FROM OLD.revoked
    THEN RAISE EXCEPTION 'a key is never changed, a revoked one never valid again'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER control_keys_stay BEFORE UPDATE OR DELETE ON control_keys
    FOR EACH ROW EXECUTE FUNCTION control_keys_stay();
CREATE TRIGGER control_keys_remain BEFORE TRUNCATE ON control_keys EXECUTE FUNCTION control_keys_stay();
"""
_COLUMNS = "id, name, role, hash, created, revoked, used"
_VERSION = """
SELECT md5(string_agg(concat_ws(' ', id, hash, revoked, used), ',' ORDER BY number)), count(*) FROM control_keys
"""
PATIENCE = 1.0
"""Seconds without a byte of an answer, after which the database counts as gone: what was read before may hold on for a
second, but no longer, since a key might have been revoked."""

LOCKED = IDLE_SECONDS + 2.0
"""Seconds that who changes keys waits for another, which may hang itself: until PostgreSQL has ended that one."""

_LOCK = 0x63646B79  # of an advisory lock: one process makes the table


class PostgresKeys(Keys):
    """The keys at ``url``, in a table that the first key makes. One connection, made again when it broke.

    Raises StoreUnavailableError while the database does not answer.
    """

    poll = 0.03
    """Thus a revocation holds within a tenth of a second in every process."""

    def __init__(self, url: str, *, note: Note, clock: Clock | None = None) -> None:
        super().__init__(note=note, clock=clock)
        self._address = PostgresAddress.parse(url)
        self._session: Any = None
        self._made = False
        self._closed = False

    def all(self) -> list[Key]:
        with self._lock, self._told("read"):
            return self._stored() if self._there() else []

    def used(self, numbers: Iterable[str]) -> None:
        hour = self._clock.wall() // HOUR * HOUR
        with self._lock, self._told("written"):
            if self._there():
                self._connected().execute(
                    "UPDATE control_keys SET used = %s WHERE id = ANY(%s) AND (used IS NULL OR used < %s)",
                    [hour, list(numbers), hour],
                )

    def version(self) -> tuple[object, int]:
        with self._lock, self._told("read"):
            if not self._there():
                return None, 0
            found = self._connected().execute(_VERSION).fetchall()[0]
            return found[0], int(found[1])

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._session is not None:
                self._session.close()

    @contextmanager
    def _changing(self) -> Iterator[object]:
        connection = self._connected()
        with connection.transaction():
            with patient(connection, LOCKED):
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            if not self._there():
                connection.execute(_TABLES)
            yield connection

    def _stored(self) -> list[Key]:
        rows = self._connected().execute(f"SELECT {_COLUMNS} FROM control_keys ORDER BY created, number").fetchall()
        return [Key(number, name, role, bytes(digest), *times) for number, name, role, digest, *times in rows]

    def _add(self, key: Key) -> None:
        self._connected().execute(
            "INSERT INTO control_keys (id, name, role, hash, created) VALUES (%s, %s, %s, %s, %s)",
            [key.id, key.name, key.role, key.digest, key.created],
        )

    def _revoke(self, number: str, at: int) -> None:
        self._connected().execute(
            "UPDATE control_keys SET revoked = %s WHERE id = %s AND revoked IS NULL", [at, number]
        )

    def _told(self, done: str) -> AbstractContextManager[None]:  # noqa: ARG002 - what was done, PostgreSQL says itself
        return self._address.told()

    def _there(self) -> bool:
        """Whether there is a table yet."""
        if not self._made:
            found = self._connected().execute("SELECT to_regclass('control_keys')").fetchall()
            self._made = found[0][0] is not None
        return self._made

    def _connected(self) -> Any:
        if self._closed:
            raise StoreError(f"keys: {self._address.shown} cannot be read: it is closed")
        if self._session is None or self._session.closed:
            self._session, self._made = None, False
            self._session = self._address.connect(PATIENCE)
        return self._session

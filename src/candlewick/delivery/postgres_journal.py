"""PostgresJournal: the control journal in the database of a PostgreSQL store, for all processes that serve it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from candlewick.clock import Clock
from candlewick.delivery.entry import Change, Entry, State
from candlewick.delivery.flags import Value
from candlewick.delivery.journal import OLD_REPORT, ControlJournal
from candlewick.errors import StoreError, StoreUnavailableError, StoreVersionError
from candlewick.postgres_address import IDLE_SECONDS, PostgresAddress
from candlewick.postgres_patience import patient

VERSION = 1

PATIENCE = 2.0
"""Seconds without a byte of an answer, after which the database counts as gone."""

LOCKED = IDLE_SECONDS + 2.0
"""Seconds that a writer waits for another, which may hang itself: until PostgreSQL has ended that one."""

AGAIN = 0.25
"""Seconds after an attempt to connect that failed for which everybody is told the same: they would queue for it."""

_TABLES = """
CREATE TABLE control (version integer NOT NULL);
CREATE TABLE control_entries (
    seq bigint PRIMARY KEY, at bigint NOT NULL, who text NOT NULL, what text NOT NULL, name text NOT NULL,
    old text NOT NULL, new text NOT NULL, why text NOT NULL, evidence text NOT NULL, step bigint NOT NULL
);
CREATE TABLE control_state (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE control_trials (rollout bigint PRIMARY KEY, spent bigint NOT NULL);
CREATE TABLE control_reports (process text PRIMARY KEY, at bigint NOT NULL, body text NOT NULL);
CREATE FUNCTION control_entries_stay() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'entries are never changed or deleted'; END $$;
CREATE TRIGGER control_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON control_entries
    EXECUTE FUNCTION control_entries_stay();
"""
_LOCK = 0x6364636A  # of an advisory lock: one process makes the tables


class PostgresJournal(ControlJournal):
    """The journal at ``url``, beside the candles; made when it is not there.

    It promises what `ControlJournal` does. Who writes holds the state's table until all of it is committed, readers
    never wait. Raises StoreUnavailableError while the database does not answer, within a few seconds also where it
    hangs: then what was read last holds on, and the next call connects anew.
    """

    def __init__(
        self,
        url: str,
        *,
        base: Mapping[str, tuple[Value, str]] | None = None,
        clock: Clock | None = None,
        salt: str | None = None,
    ) -> None:
        self._url = url
        self._address = PostgresAddress.parse(url)
        self._session: Any = None
        self._away = (0.0, "")
        super().__init__(None, base=base, clock=clock, salt=salt)

    @property
    def place(self) -> str:
        return self._url

    def reopen(self) -> None:
        self._left.append(self._session)
        self._lock = threading.RLock()
        self._session, self._closed = None, False
        try:
            with self._told("opened"):
                self._make()
        except BaseException:
            self.close()
            raise

    def entries(self, after: int = 0) -> list[Entry]:
        with self._lock, self._told("read"):
            rows = self._execute("SELECT * FROM control_entries WHERE seq > %s ORDER BY seq", after)
        return [_entry(row) for row in rows]

    def version(self) -> int:
        """The number of entries; takes a journey to the database."""
        with self._lock, self._told("read"):
            return int(self._execute("SELECT value FROM control_state WHERE name = 'seq'")[0][0])

    def begin_trial(self, rollout: int) -> int:
        with self._lock, self._told("written"):
            rows = self._execute(
                "INSERT INTO control_trials VALUES (%s, 1)"
                " ON CONFLICT (rollout) DO UPDATE SET spent = control_trials.spent + 1 RETURNING spent",
                rollout,
            )
        return int(rows[0][0])

    def leave_report(self, process: str, body: Mapping[str, Any]) -> None:
        now = self._clock.wall()
        with self._lock, self._told("written"), self._connected().transaction():
            # A report that is lost is followed by another a second later.
            self._execute("SET LOCAL synchronous_commit = off")
            self._execute(
                "INSERT INTO control_reports VALUES (%s, %s, %s)"
                " ON CONFLICT (process) DO UPDATE SET at = excluded.at, body = excluded.body",
                process,
                now,
                json.dumps(body),
            )
            self._execute("DELETE FROM control_reports WHERE at < %s", now - OLD_REPORT)

    def reports(self) -> list[tuple[str, int, dict[str, Any]]]:
        with self._lock, self._told("read"):
            rows = self._execute("SELECT process, at, body FROM control_reports ORDER BY at DESC")
        return [(process, at, json.loads(body)) for process, at, body in rows]

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._session is not None:
                self._session.close()

    def _state(self) -> State:
        rows = self._execute("SELECT name, value FROM control_state")
        return State(**{name: json.loads(value) for name, value in rows})

    @contextmanager
    def _writing(self) -> Iterator[State]:
        with self._lock, self._told("written"), self._connected().transaction():
            with patient(self._session, LOCKED):
                self._execute("LOCK TABLE control_state IN EXCLUSIVE MODE")
            yield self._state()

    def _keep_entry(self, row: tuple[Any, ...]) -> None:
        seq, at, who, what, name, old, new, why, evidence, step = row
        # As JSON, since PostgreSQL's text holds no NUL and anybody may say anything.
        kept = (seq, at, json.dumps(who), what, name, old, new, json.dumps(why), evidence, step)
        self._execute("INSERT INTO control_entries VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)", *kept)

    def _keep_state(self, rows: list[tuple[str, str]]) -> None:
        names, values = zip(*rows, strict=True)
        self._execute(
            "INSERT INTO control_state SELECT * FROM unnest(%s::text[], %s::text[])"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            list(names),
            list(values),
        )

    def _make(self) -> None:
        connection = self._connected()
        with connection.transaction():
            with patient(connection, LOCKED):
                self._execute("SELECT pg_advisory_xact_lock(%s)", _LOCK)
            if self._execute("SELECT to_regclass(%s)", f"{self._address.schema}.control")[0][0] is None:
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self._address.schema}")
                connection.execute(_TABLES)
                self._execute("INSERT INTO control VALUES (%s)", VERSION)
                self._append(State(), [Change("create", "salt", "", self._draw())], "candlewick", "", {})
            found = self._execute("SELECT version FROM control")[0][0]
        if found > VERSION:
            raise StoreVersionError(
                f"control: {self._address.shown} was written by a newer candlewick"
                f" (version {found}, this one knows {VERSION})"
            )

    def _execute(self, statement: str, *given: object) -> list[Any]:
        cursor = self._connected().execute(statement, given)
        return cursor.fetchall() if cursor.description else []

    def _connected(self) -> Any:
        """The connection; a new one when that of before is broken."""
        if self._closed:
            raise StoreError(f"control: {self._address.shown} cannot be read: it is closed")
        if self._session is None or self._session.closed:
            until, why = self._away
            if time.monotonic() < until:
                raise StoreUnavailableError(self._address.shown, why)
            try:
                self._session = self._address.connect(PATIENCE)
            except StoreUnavailableError as error:
                self._away = (time.monotonic() + AGAIN, error.reason)
                raise
        return self._session

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:  # noqa: ARG002 - what was done, PostgreSQL says itself
        with self._address.told():
            yield


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, at, who, what, name, *texts, step = row
    old, new, why, evidence = map(json.loads, texts)
    return Entry(seq, at, json.loads(who), what, name, old, new, why, evidence, step)

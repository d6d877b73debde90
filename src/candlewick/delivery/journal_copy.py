"""Journal copy: all that a control journal holds, in one piece that a journal of any kind takes back.

The reports of running servers are left out: they are about processes, and renewed every second.
"""

from __future__ import annotations

import json
from typing import Any

from candlewick.delivery.entry import Entry
from candlewick.delivery.journal import ControlJournal
from candlewick.errors import InputError, StoreVersionError

VERSION = 1
NAME = "control.json"
"""What it is called where it lies beside candles."""


def copy_of(journal: ControlJournal) -> bytes:
    """Every entry, the state that follows and what was spent of each rollout's evidence, of one moment."""
    with journal._writing() as state:
        told = {
            "version": VERSION,
            "entries": [list(_row(one)) for one in journal.entries()],
            "state": vars(state),
            "trials": [list(row) for row in _ask(journal, "SELECT rollout, spent FROM {trials} ORDER BY rollout")],
        }
    return json.dumps(told, ensure_ascii=True, sort_keys=True).encode()


def put_back(journal: ControlJournal, data: bytes) -> int:
    """Put a copy into a journal that nothing was written to yet, all or nothing; how many entries it has.

    A journal that has just these entries is left as it is. Raises InputError for one that has others.
    """
    told: dict[str, Any] = json.loads(data)
    if told["version"] > VERSION:
        raise StoreVersionError(f"control: the copy has version {told['version']}, this candlewick knows {VERSION}")
    rows = [tuple(row) for row in told["entries"]]
    with journal._writing() as held:
        if [_row(one) for one in journal.entries()] == rows:
            return len(rows)
        if held.seq > 1:
            expected = "move it away, or restore without the journal"
            raise InputError("control", str(journal.place), expected, f"has {held.seq} entries of its own already")
        _begin_anew(journal)
        for row in rows:
            journal._keep_entry(row)
        journal._keep_state([(name, json.dumps(value, sort_keys=True)) for name, value in told["state"].items()])
        for rollout, spent in told["trials"]:
            _ask(journal, f"INSERT INTO {{trials}} VALUES ({int(rollout)}, {int(spent)})")
    return len(rows)


def _begin_anew(journal: ControlJournal) -> None:
    """Take back the one entry that a new journal makes by itself; none is ever removed otherwise."""
    if _is_postgres(journal):
        _ask(journal, "ALTER TABLE control_entries DISABLE TRIGGER control_entries_stay")
        _ask(journal, "DELETE FROM control_entries")
        _ask(journal, "ALTER TABLE control_entries ENABLE TRIGGER control_entries_stay")
        return
    again = _ask(journal, "SELECT sql FROM sqlite_master WHERE name = 'entries_remain'")[0][0]
    for statement in ("DROP TRIGGER entries_remain", "DELETE FROM entries", again):
        _ask(journal, statement)


def _ask(journal: ControlJournal, statement: str) -> list[Any]:
    postgres = _is_postgres(journal)
    said = statement.replace("{trials}", "control_trials" if postgres else "trials")
    if postgres:
        return journal._execute(said)  # type: ignore[attr-defined, no-any-return]
    return journal._connection.execute(said).fetchall()


def _is_postgres(journal: ControlJournal) -> bool:
    return isinstance(journal.place, str)


def _row(entry: Entry) -> tuple[Any, ...]:
    """As the tables have it: what may be of any kind as JSON."""
    old, new, evidence = (
        json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True)
        for value in (entry.old, entry.new, entry.evidence)
    )
    return (entry.seq, entry.at, entry.who, entry.what, entry.name, old, new, entry.why, evidence, entry.step)

"""The file of keys: what is kept, for whom it can be read, and in which order things happen."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.postgres_server import postgres_server

from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.open import open_journal
from candlewick.errors import FileFormatError, InputError, StoreError, StoreVersionError, UnknownNameError
from candlewick.server import key_file as module
from candlewick.server import keys as keys_module
from candlewick.server.key import LENGTH, digest_of
from candlewick.server.key_file import KeyFile
from candlewick.server.keys import HOUR
from candlewick.server.postgres_keys import PostgresKeys
from candlewick.server.roles import ROLES
from candlewick.settings import KEY_FORM


class Notes(list):
    """A journal that remembers."""

    failing = False

    def note(self, name, old, new, *, who, why=""):
        if self.failing:
            raise StoreError("control: disk full")
        self.append((name, old, new, who, why))


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture(params=["file", "memory", "postgres"])
def file(request, tmp_path, notes):
    if request.param == "postgres":
        url = postgres_server().url()
        open_journal(url).close()  # as whoever opens keys has it open
        with PostgresKeys(url, note=notes.note) as made:
            yield made
        return
    with KeyFile(tmp_path / "a.keys.sqlite" if request.param == "file" else None, note=notes.note) as made:
        yield made


def test_a_key_is_shown_once_and_its_hash_is_kept(file, notes):
    key, whole = file.create("desk", "viewer", who="me", why="charts")
    assert KEY_FORM.fullmatch(whole)
    assert len(whole) == LENGTH
    assert file.all() == [key]
    assert (key.name, key.role, key.digest, key.revoked, key.used) == (
        "desk",
        "viewer",
        digest_of(whole.encode()),
        None,
        None,
    )
    assert whole.split("_")[1] == key.id
    assert notes == [(key.id, "", "desk (viewer)", "me", "charts")]
    assert key.digest.hex() not in repr(key)
    assert set(key.as_dict()) == {"id", "name", "role", "created", "revoked", "used"}


def test_a_revoked_key_stays_listed_and_revoked(file, notes):
    key, _ = file.create("desk", "viewer", who="me")
    first = file.revoke(key.id, who="you", why="lost")
    assert first.revoked is not None
    assert not first.valid
    assert file.revoke(key.id, who="they") == first
    assert file.all() == [first]
    assert notes[1:] == [(key.id, "desk (viewer)", "revoked", "you", "lost")]
    assert first.as_dict()["revoked"].endswith("Z")


def test_a_name_is_free_again_when_its_key_is_revoked(file):
    key, _ = file.create("desk", "viewer", who="me")
    with pytest.raises(InputError, match="name: 'desk' is a valid key's already"):
        file.create("desk", "admin", who="me")
    file.revoke(key.id, who="me")
    file.create("desk", "admin", who="me")
    assert [one.role for one in file.all()] == ["viewer", "admin"]


@pytest.mark.parametrize("name", ["", " ", " desk", "a\nb", "x" * 61, "a\x1b[31m"])
def test_a_name_is_one_line_that_a_log_can_show(file, name):
    with pytest.raises(InputError, match=r"name: .* is no name for a key"):
        file.create(name, "viewer", who="me")


def test_roles_and_ids_are_closed_sets(file, notes):
    with pytest.raises(UnknownNameError, match="role: 'root' is unknown"):
        file.create("desk", "root", who="me")
    with pytest.raises(UnknownNameError, match="id: '00000000' is unknown; give one that"):
        file.revoke("00000000", who="me")
    assert notes == []


def test_the_hour_of_the_last_use_is_kept(file):
    key, _ = file.create("desk", "viewer", who="me")
    file.used([key.id, "unknown"])
    used = file.all()[0].used
    assert used is not None
    assert used % HOUR == 0
    assert abs(used - key.created) <= HOUR


def test_any_change_is_another_version(file):
    seen = [file.version()]
    key, _ = file.create("desk", "viewer", who="me")
    seen.append(file.version())
    file.used([key.id])
    seen.append(file.version())
    file.revoke(key.id, who="me")
    seen.append(file.version())
    assert len(set(seen)) == 4
    assert file.version() == seen[-1]


def test_reading_leaves_no_file_behind(tmp_path, notes):
    with KeyFile(tmp_path / "a.keys.sqlite", note=notes.note) as file:
        assert file.all() == []
        assert file.version() == (None, 0)
        file.used(["x"])
        with pytest.raises(UnknownNameError):
            file.revoke("x", who="me")
    assert list(tmp_path.iterdir()) == []
    file.close()


def test_only_its_owner_can_read_it(tmp_path, notes):
    before = os.umask(0)
    try:
        with KeyFile(tmp_path / "a.keys.sqlite", note=notes.note) as file:
            file.create("desk", "viewer", who="me")
            modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes.pop("a.keys.sqlite") == "0o600"
    assert set(modes.values()) <= {"0o600"}
    (tmp_path / "a.keys.sqlite").chmod(0o640)
    with (
        KeyFile(tmp_path / "a.keys.sqlite", note=notes.note) as file,
        pytest.raises(StoreError, match="others than its owner; chmod 600 it"),
    ):
        file.all()


def test_no_secret_is_in_the_file_or_the_journal(tmp_path):
    with (
        ControlJournal(tmp_path / "a.control.sqlite") as journal,
        KeyFile(tmp_path / "a.keys.sqlite", note=journal.note) as file,
    ):
        key, whole = file.create("desk", "admin", who="me", why="first")
        file.revoke(key.id, who="me")
        entries = journal.entries()[1:]
        assert [(one.what, one.name, one.old, one.new, one.who, one.why) for one in entries] == [
            ("key", key.id, "", "desk (admin)", "me", "first"),
            ("key", key.id, "desk (admin)", "revoked", "me", ""),
        ]
        assert journal.state().flags == {}
        assert {one.step for one in entries} == {0}
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    content += b"".join(path.read_bytes() for path in tmp_path.iterdir())
    secret = whole.rpartition("_")[2]
    assert key.id.encode() in content
    assert secret.encode() not in content
    assert bytes.fromhex(secret) not in content


def test_a_key_that_cannot_be_journalled_is_not_made(file, notes):
    notes.failing = True
    with pytest.raises(StoreError, match="disk full"):
        file.create("desk", "viewer", who="me")
    assert file.all() == []


def test_a_revocation_holds_although_it_cannot_be_journalled(file, notes):
    key, _ = file.create("desk", "viewer", who="me")
    notes.failing = True
    with pytest.raises(StoreError, match=f"{key.id} is revoked, but the journal does not say so"):
        file.revoke(key.id, who="me")
    assert not file.all()[0].valid


def test_what_is_written_of_a_key_stays(tmp_path, notes):
    with KeyFile(tmp_path / "a.keys.sqlite", note=notes.note) as file:
        key, _ = file.create("desk", "viewer", who="me")
        file.revoke(key.id, who="me")
    connection = sqlite3.connect(tmp_path / "a.keys.sqlite")
    for statement in (
        "UPDATE keys SET role = 'admin'",
        "UPDATE keys SET revoked = NULL",
        "UPDATE keys SET hash = x'00'",
        "DELETE FROM keys",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
    connection.close()


def test_a_file_that_is_removed_or_replaced_is_noticed(tmp_path, notes):
    path = tmp_path / "a.keys.sqlite"
    with KeyFile(path, note=notes.note) as file, KeyFile(path, note=notes.note) as another:
        file.create("desk", "viewer", who="me")
        version = file.version()
        for one in tmp_path.glob("a.keys.sqlite*"):
            one.unlink()
        assert file.all() == []
        assert another.all() == []
        another.create("new", "viewer", who="me")
        assert [one.name for one in file.all()] == ["new"]
        assert file.version() != version


def test_what_is_no_file_of_keys_is_refused_and_left_alone(tmp_path, notes):
    path = tmp_path / "a.keys.sqlite"
    path.write_text("not a database, and long enough to be sure of it" * 20)
    path.chmod(0o600)
    with KeyFile(path, note=notes.note) as file, pytest.raises(FileFormatError, match=r"keys: .* is something else"):
        file.all()
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE other (x)")
    connection.commit()
    connection.close()
    path.chmod(0o600)
    before = path.read_bytes()
    with KeyFile(path, note=notes.note) as file, pytest.raises(FileFormatError, match=r"keys: .* is something else"):
        file.all()
    assert path.read_bytes() == before


def test_a_newer_file_is_refused(tmp_path, notes):
    path = tmp_path / "a.keys.sqlite"
    with KeyFile(path, note=notes.note) as file:
        file.create("desk", "viewer", who="me")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with KeyFile(path, note=notes.note) as file, pytest.raises(StoreVersionError, match="newer candlewick"):
        file.all()


def test_a_folder_that_is_not_there_and_a_file_that_cannot_be_opened_are_told(tmp_path, notes):
    with (
        KeyFile(tmp_path / "absent" / "a.keys.sqlite", note=notes.note) as file,
        pytest.raises(InputError, match="has no folder to be in"),
    ):
        file.create("desk", "viewer", who="me")
    (tmp_path / "folder").mkdir()
    with (
        KeyFile(tmp_path / "folder", note=notes.note) as file,
        pytest.raises(StoreError, match="cannot be read: Is a directory"),
    ):
        file.all()


def test_what_is_refused_leaves_nothing_half_done(tmp_path, notes):
    path = tmp_path / "a.keys.sqlite"
    with KeyFile(path, note=notes.note) as file:
        file.create("desk", "viewer", who="me")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("DROP TRIGGER keys_remain")
        other.execute("DROP TABLE keys")
        other.close()
        with pytest.raises(StoreError, match="cannot be read: no such table"):
            file.all()


def test_ids_are_never_given_twice(file, monkeypatch):
    drawn = [("00000001", "cw_a"), ("00000001", "cw_b"), ("00000002", "cw_c")]
    monkeypatch.setattr(keys_module, "draw", lambda: drawn.pop(0))
    assert file.create("one", "viewer", who="me")[0].id == "00000001"
    assert file.create("two", "viewer", who="me")[0].id == "00000002"


def test_a_file_that_another_process_has_alone_is_waited_for_and_not_for_ever(tmp_path, notes, monkeypatch):
    path = tmp_path / "a.keys.sqlite"
    path.touch(0o600)
    with monkeypatch.context() as patch, sqlite3.connect(path, isolation_level=None) as other:
        patch.setattr(module, "PATIENCE", 0.05)
        patch.setattr(module, "_to_wal", lambda _: None)  # as it is left by a process that ended in between
        with KeyFile(path, note=notes.note) as file:
            file.create("desk", "viewer", who="me")
        other.execute("BEGIN IMMEDIATE")
        patch.undo()
        patch.setattr(module, "PATIENCE", 0.05)
        with (
            KeyFile(path, note=notes.note) as file,
            pytest.raises(StoreError, match="cannot be read: database is locked"),
        ):
            file.all()
        other.execute("COMMIT")
    other.close()
    waited = []

    class Busy:
        def execute(self, statement):
            if not waited:
                waited.append(statement)
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorname = "SQLITE_BUSY"
                raise error

    module._to_wal(Busy())
    assert waited == ["PRAGMA journal_mode = WAL"]


def test_a_busy_file_is_given_up_in_the_end(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", -1.0)

    class Busy:
        def execute(self, statement):
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorname = "SQLITE_BUSY"
            raise error

    with pytest.raises(sqlite3.OperationalError):
        module._to_wal(Busy())


def test_tables_are_made_whole_or_not_at_all(tmp_path, notes, monkeypatch):
    path = tmp_path / "a.keys.sqlite"
    with monkeypatch.context() as patch, KeyFile(path, note=notes.note) as file:
        patch.setattr(module, "TABLES", (*module.TABLES, "CREATE TABLE keys (x)"))
        with pytest.raises(StoreError, match="cannot be written: table keys already exists"):
            file.create("desk", "viewer", who="me")
    with KeyFile(path, note=notes.note) as file:
        assert file.all() == []


def test_many_write_at_once(tmp_path):
    """Threads here and a process beside: nothing is lost, and the journal has all of it."""
    program = (
        "import sys\nfrom candlewick.delivery.journal import ControlJournal\n"
        "from candlewick.server.key_file import KeyFile\n"
        "with ControlJournal(sys.argv[1] + '.control.sqlite') as journal:\n"
        "    with KeyFile(sys.argv[1] + '.keys.sqlite', note=journal.note) as file:\n"
        "        for at in range(10):\n"
        "            key, _ = file.create(f'other {at}', 'viewer', who='other')\n"
        "            file.revoke(key.id, who='other')\n"
    )
    beside = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "a")])
    with (
        ControlJournal(tmp_path / "a.control.sqlite") as journal,
        KeyFile(tmp_path / "a.keys.sqlite", note=journal.note) as file,
    ):

        def work(name):
            for at in range(5):
                file.create(f"{name} {at}", "viewer", who=name)

        threads = [threading.Thread(target=work, args=(f"thread {at}",)) for at in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert beside.wait(60) == 0
        keys = file.all()
        assert sum(one.valid for one in keys) == 15
        assert len(keys) == 25
        assert sum(one.what == "key" for one in journal.entries()) == 35


@given(st.sampled_from(sorted(ROLES)), st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=60))
def test_what_was_given_is_kept(role, name):
    with KeyFile(None, note=Notes().note) as file:
        key, whole = file.create(name, role, who="me")
        assert (key.name, key.role) == (name, role)
        assert KEY_FORM.fullmatch(whole)

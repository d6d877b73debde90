"""Restoring: all or nothing, checked before anything is written, into an empty store only."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.backup.lived import KINDS, LIVED, edited, made

from candlewick.backup import backup, restore, try_restore
from candlewick.backup.archive import MANIFEST, Archive
from candlewick.backup.restore import Difference
from candlewick.errors import CandlewickError, FileFormatError, InputError, StoreError, StoreVersionError
from candlewick.store.memory import MemoryStore
from candlewick.testing.stored_candles import refused, some


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup."""
    path = tmp_path_factory.mktemp("restore") / "backup"
    with MemoryStore() as store:
        edited(store, LIVED)
        store.quarantine([refused()])
        backup(store, path, beside={"control.json": b"{}"})
    return path


def rewritten(file: Path, to: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy of a zip whose parts went through ``change``; None leaves one out."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(to, "w") as new:
        for one in old.infolist():
            data = change(one.filename, old.read(one))
            if data is not None:
                new.writestr(one.filename, data)
    return to


def told(change: Callable[[dict[str, Any]], None]) -> Callable[[str, bytes], bytes]:
    """A change of the manifest."""

    def changed(name: str, data: bytes) -> bytes:
        if name != MANIFEST:
            return data
        value = json.loads(data)
        change(value)
        return json.dumps(value).encode()

    return changed


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_is_not_empty_is_refused(tmp_path: Path, file: Path, kind: str) -> None:
    with made(kind, tmp_path) as store:
        store.upsert(some("SPY"))
        store.delete("SPY", for_good=True)
        with pytest.raises(StoreError, match=r"is not empty .*1 of series"):
            restore(file, store)
    with made(kind, tmp_path) as store:
        store.quarantine([refused("z")])
        with pytest.raises(StoreError, match="1 of quarantine"):
            restore(file, store)
        assert store.series() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_restore_that_fails_anywhere_leaves_nothing(tmp_path: Path, file: Path, kind: str) -> None:
    steps: list[int] = []
    with made(kind, tmp_path) as store:
        restore(file, store, progress=lambda done, _: steps.append(done))
        assert store.series()
    written = [at for at, done in enumerate(steps) if done > steps[-1] // 2]
    with made(kind, tmp_path) as store:
        for at in (written[0], written[len(written) // 2], written[-1]):
            calls = iter(range(len(steps)))

            def fail(done: int, total: int, at: int = at, calls: Any = calls) -> None:
                if next(calls) == at:
                    raise MemoryError("enough")

            with pytest.raises(MemoryError):
                restore(file, store, progress=fail)
            assert store.series() == []
            assert store.quarantined() == []

        def last(archive: Archive) -> None:
            assert archive.plain("control.json") == b"{}"
            raise StoreError("the journal cannot be written")

        with pytest.raises(StoreError, match="journal"):
            restore(file, store, last=last)
        assert store.series() == []
        assert restore(file, store).as_dict()["backup"]["series"] == len(Archive(file).manifest.series)


def test_every_damaged_byte_of_a_part_is_found_and_named(tmp_path: Path, file: Path) -> None:
    data = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        places = {
            one.filename: (one.header_offset + 30 + len(one.filename), one.file_size) for one in archive.infolist()
        }
    for name, (first, size) in places.items():
        for at in (first, first + size // 2):
            bad = tmp_path / "bad"
            bad.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            with MemoryStore() as store:
                with pytest.raises(FileFormatError, match=f"is damaged in {name}"):
                    restore(bad, store)
                assert store.series() == []


def test_nothing_is_written_before_all_is_checked(tmp_path: Path, file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        last = archive.infolist()[-2]
    data = bytearray(file.read_bytes())
    data[last.header_offset + 30 + len(last.filename)] ^= 1
    bad = tmp_path / "bad"
    bad.write_bytes(bytes(data))
    with made("duckdb", tmp_path) as store:
        store.upsert(some("SPY"))  # who is not empty would be told so, were it looked at first
        with pytest.raises(FileFormatError, match=last.filename):
            restore(bad, store)


@pytest.mark.parametrize("cut", [0, 10, 0.5, 0.99])
def test_a_file_without_its_end(tmp_path: Path, file: Path, cut: float) -> None:
    data = file.read_bytes()
    bad = tmp_path / "bad"
    bad.write_bytes(data[: int(len(data) * cut) if cut < 1 else int(cut)])
    with MemoryStore() as store, pytest.raises(FileFormatError, match="is no backup, or its end is missing"):
        restore(bad, store)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda name, data: None if name.startswith("writes") else data, "manifest.json"),
        (lambda name, data: None if name == MANIFEST else data, "is no backup"),
        (lambda name, data: b"[" if name == MANIFEST else data, "damaged in manifest.json"),
        (told(lambda value: value.update(kind="other")), "damaged in manifest.json"),
        (told(lambda value: value["series"][0].update(digest="0")), "their digest is another one"),
        (told(lambda value: value["series"].pop()), "is there, though it was not backed up"),
        (told(lambda value: value["series"][0].update(symbol="A")), "A 1m: is not there"),
        (told(lambda value: value.update(rest="0")), "what belongs to no series"),
        (told(lambda value: value["parts"][0].update(rows=1)), "are not those that the manifest tells of"),
        (told(lambda value: value["parts"][0].update(sha256="0")), "checksum"),
    ],
)
def test_what_does_not_fit_together(
    tmp_path: Path, file: Path, change: Callable[[str, bytes], bytes | None], match: str
) -> None:
    bad = rewritten(file, tmp_path / "bad", change)
    with made("duckdb", tmp_path) as store:
        with pytest.raises(FileFormatError, match=match):
            restore(bad, store)
        assert store.series() == []


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (told(lambda value: value.update(format=99)), "has form 99"),
        (told(lambda value: value["tables"]["candles"].update(colour="text")), "whose table candles is another one"),
        (told(lambda value: value["tables"].update(moods={"series": "int64"})), "whose table moods is another one"),
    ],
)
def test_a_backup_of_another_candlewick(
    tmp_path: Path, file: Path, change: Callable[[str, bytes], bytes | None], match: str
) -> None:
    with MemoryStore() as store, pytest.raises(StoreVersionError, match=match):
        restore(rewritten(file, tmp_path / "bad", change), store)


def test_a_table_that_came_later_stays_empty(tmp_path: Path, file: Path) -> None:
    def without(name: str, data: bytes) -> bytes:
        return told(lambda value: value["tables"].pop("splits"))(name, data)

    with made("postgres", tmp_path) as store:
        restore(rewritten(file, tmp_path / "old", without), store)
        assert store.series()
        assert store.splits() == {}


def test_what_is_no_file(tmp_path: Path) -> None:
    with MemoryStore() as store:
        for path in (tmp_path / "none", tmp_path):
            with pytest.raises(InputError, match="cannot be read"):
                restore(path, store)


def test_a_trial_tells_what_differs(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("candlewick.backup.restore")
    real = module.restore

    def losing(path: Any, store: Any, **about: Any) -> Any:
        done = real(path, store, **about)
        store.upsert(some("SPY", [9999]))
        store.quarantine([refused("new")])
        return done

    monkeypatch.setattr(module, "restore", losing)
    tried = try_restore(file)
    assert not tried.good
    assert [one.symbol for one in tried.differences] == ["SPY", ""]
    assert "were backed up, there are" in str(tried.differences[0])
    assert str(tried.differences[1]).startswith("what belongs to no series")
    assert tried.as_dict()["differences"][0]["timeframe"] == "1m"
    assert str(Difference("", "", "odd")) == "odd"


def test_errors_are_ours(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a zip")
    with MemoryStore() as store, pytest.raises(CandlewickError):
        restore(tmp_path / "text", store)

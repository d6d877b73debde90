"""The keys of a running server: who is let in, what is compared, and how soon a revocation holds."""

from __future__ import annotations

import hmac
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import StoreError
from candlewick.server import key_ring as module
from candlewick.server.key import digest_of
from candlewick.server.key_file import KeyFile
from candlewick.server.key_ring import NOBODY, KeyRing
from candlewick.server.keys import HOUR


def nothing(*_, **__):
    return None


@pytest.fixture
def ring(tmp_path):
    made = KeyRing(KeyFile(tmp_path / "a.keys.sqlite", note=nothing), poll=0.005)
    made.watch()
    yield made
    made.close()


def until(true, seconds=10):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.002)


def test_a_key_is_found_until_it_is_revoked(ring):
    key, whole = ring.create("desk", "viewer", who="me")
    assert ring.find(whole.encode()) == key
    assert ring.holds(key.id)
    ring.revoke(key.id, who="me")
    assert ring.find(whole.encode()) is None
    assert not ring.holds(key.id)
    assert not ring.holds("00000000")
    assert [one.valid for one in ring.all()] == [False]


def test_what_another_process_writes_holds_soon(ring, tmp_path):
    with KeyFile(tmp_path / "a.keys.sqlite", note=nothing) as other:
        key, whole = other.create("desk", "viewer", who="me")
        until(lambda: ring.find(whole.encode()) is not None)
        other.revoke(key.id, who="me")
        until(lambda: ring.find(whole.encode()) is None)


def test_a_file_that_is_gone_lets_nobody_in(ring, tmp_path):
    _, whole = ring.create("desk", "viewer", who="me")
    for one in tmp_path.glob("a.keys.sqlite*"):
        one.unlink()
    until(lambda: ring.find(whole.encode()) is None)


@given(st.data())
def test_one_wrong_sign_anywhere_is_another_key(data):
    ring = KeyRing(KeyFile(None, note=nothing))
    _, whole = ring.create("desk", "viewer", who="me")
    at = data.draw(st.integers(0, len(whole) - 1))
    sign = data.draw(st.integers(0, 255).filter(lambda one: one != ord(whole[at])))
    assert ring.find(whole[:at].encode() + bytes([sign]) + whole[at + 1 :].encode()) is None
    ring.close()


@given(st.binary(max_size=100))
def test_any_bytes_are_decided(junk):
    ring = KeyRing(KeyFile(None, note=nothing))
    assert ring.find(junk) is None
    ring.close()


def test_every_key_is_compared_in_full_and_in_constant_time(ring, monkeypatch):
    """By construction: hashes go through `hmac.compare_digest`, once, also for an id that is unknown."""
    key, whole = ring.create("desk", "viewer", who="me")
    gone, lost = ring.create("lost", "viewer", who="me")
    ring.revoke(gone.id, who="me")
    compared = []
    real = module.compare_digest
    assert real is hmac.compare_digest

    def watched(one, other):
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(module, "compare_digest", watched)
    wrong = whole[:-1] + ("0" if whole[-1] != "0" else "1")
    unknown = f"cw_{'0' * 8}_{'0' * 64}"
    for sent, stored in ((whole, key.digest), (wrong, key.digest), (lost, gone.digest), (unknown, NOBODY)):
        compared.clear()
        ring.find(sent.encode())
        assert compared == [(digest_of(sent.encode()), stored)]
        assert len(compared[0][0]) == len(compared[0][1]) == 32


def test_when_the_file_cannot_be_read_nobody_is_let_in_until_it_can(ring, monkeypatch, caplog):
    key, _ = ring.create("desk", "viewer", who="me")
    monkeypatch.setattr(module, "BLIND", 0.05)
    real = ring.file.version

    def failing():
        raise StoreError("keys: a disk that is gone")

    monkeypatch.setattr(ring.file, "version", failing)
    until(lambda: ring.problem is not None)
    assert not ring.holds(key.id)
    assert "a disk that is gone" in ring.problem
    assert caplog.text.count("the keys cannot be read") == 1
    monkeypatch.setattr(ring.file, "version", real)
    until(lambda: ring.problem is None)
    assert ring.holds(key.id)


def test_a_ring_that_nobody_watches_says_so():
    ring = KeyRing(KeyFile(None, note=nothing))
    assert ring.problem == "nobody looks at the file"
    ring.close()
    ring.close()
    ring.watch()
    assert ring.problem is not None


def test_the_hour_of_a_use_is_written_once(ring, monkeypatch):
    written = []
    real = ring.file.used
    monkeypatch.setattr(ring.file, "used", lambda numbers: (written.append(set(numbers)), real(numbers)))
    key, whole = ring.create("desk", "viewer", who="me")
    for _ in range(5):
        ring.find(whole.encode())
        until(lambda: not ring._seen)
    until(lambda: ring.all()[0].used is not None)
    ring.watch()  # a second time is harmless
    ring.close()
    assert written.count({key.id}) == len(written) <= 2  # two where the hour ended meanwhile


def test_a_use_that_cannot_be_written_harms_nobody(ring, monkeypatch, caplog):
    _, whole = ring.create("desk", "viewer", who="me")

    def failing(_):
        raise StoreError("keys: disk full")

    with monkeypatch.context() as patch:
        patch.setattr(ring.file, "used", failing)
        ring.find(whole.encode())
        until(lambda: "disk full" in caplog.text)
    ring.find(whole.encode())
    until(lambda: ring.all()[0].used is not None)
    assert ring.all()[0].used % HOUR == 0

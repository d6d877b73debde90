"""Loopback: which names mean this machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.server.loopback import is_loopback, objection


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST.", "::1", "[::1]"])
def test_this_machine(host):
    assert is_loopback(host)
    shown = f"[{host}]" if host == "::1" else host
    assert objection([(b"host", f"{shown}:8787".encode())]) is None


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "192.168.0.7", "candles.example", "127.0.0.1.example", "localhost.example", "[::1"]
)
def test_another_machine(host):
    assert not is_loopback(host.removeprefix("[") + "x" if host == "[::1" else host)
    assert objection([(b"host", host.encode())]) is not None


@given(st.ip_addresses())
def test_an_address_is_of_this_machine_when_its_network_is(address):
    assert is_loopback(str(address)) is address.is_loopback


@given(st.binary(max_size=40))
def test_any_header_is_decided(value):
    reason = objection([(b"host", value)])
    assert reason is None or reason.startswith("Host: ")


def test_the_host_is_given_once():
    assert objection([]) is not None
    assert objection([(b"host", b"127.0.0.1"), (b"host", b"127.0.0.1")]) is not None


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        ("http://127.0.0.1:8787", True),
        ("http://localhost:5173", True),
        ("null", False),
        ("https://candles.example", False),
        ("http://[::1", False),
    ],
)
def test_pages_of_other_sites_may_not_ask(origin, welcome):
    reason = objection([(b"host", b"127.0.0.1:8787"), (b"origin", origin.encode())])
    assert (reason is None) is welcome

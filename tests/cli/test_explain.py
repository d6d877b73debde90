"""candlewick explain."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from candlewick.cli import explain as module
from candlewick.cli.explain import told
from candlewick.client import Client
from candlewick.service.classic import ClassicService
from candlewick.store.open import open_store

ASKED = ("explain", "AAPL", "--timeframe", "5m", "--at", "2024-01-02T15:30:00Z", "--column")


def test_a_value_for_machines(run: Any, store: Path) -> None:
    found = run(*ASKED, "sma_9", "--json").json
    assert (found["symbol"], found["timeframe"], found["at"]) == ("AAPL", "5m", "2024-01-02T15:30:00Z")
    assert (found["engine"], found["arm"], found["recomputed"]["kept"]) == ("optimized", "explicit", True)
    (shown,) = run("candles", "AAPL", "--timeframe", "5m", "--indicators", "sma(9)", "--start", "2024-01-02T15:30:00Z",
                   "--end", "2024-01-02T15:31:00Z", "--json").json["columns"]["sma_9"]  # fmt: skip
    assert found["value"] == shown
    assert run(*ASKED, "sma_9", "--engine", "classic", "--json").json["engine"] == "classic"


def test_a_value_for_readers(run: Any, store: Path) -> None:
    ran = run(*ASKED, "bollinger_12_2_upper")
    assert (ran.code, ran.err) == (0, "")
    first, *rest = ran.out.splitlines()
    assert first.startswith("bollinger_12_2_upper of AAPL 5m at 2024-01-02T15:30:00Z: 99.79")
    text = "\n".join(rest)
    for line in ("warm-up", "calendar", "kernel", "fingerprint"):
        assert f"\n{line} " in text
    assert "the definition's bound of" in text
    assert "is kept" in text
    assert "over: 12 bars needed, 13 there" in text
    assert "Bars of the window, the last 10 of 12:" in text
    assert "Candles of the bar, all of them:" in text
    assert max(map(len, rest)) <= module.WIDTH + 14


def test_dates_and_zones(run: Any, store: Path) -> None:
    day = run("explain", "AAPL", "--timeframe", "5m", "--at", "2024-01-02", "--column", "open", "--json").json
    zoned = run("explain", "AAPL", "--timeframe", "5m", "--at", "2024-01-02T09:30", "--timezone", "America/New_York",
                "--column", "open", "--json").json  # fmt: skip
    assert day == zoned
    assert day["at"] == "2024-01-02T14:30:00Z"


def test_zero_volume_and_source(run: Any, store: Path) -> None:
    found = run("explain", "BTC/USD", "--timeframe", "1d", "--at", "2024-01-02", "--column", "close", "--json").json
    assert (found["series"]["source"], found["value"], found["bar"]["possible"]) == ("1d", 3.0, 1)
    found = run("explain", "BTC/USD", "--timeframe", "1d", "--at", "2024-01-02", "--column", "n", "--source", "1m",
                "--zero-volume", "drop", "--json").json  # fmt: skip
    assert (found["series"]["source"], found["series"]["zero_volume"], found["value"]) == ("1m", "drop", 100.0)
    assert (found["bar"]["possible"], found["bar"]["left_out"]) == (1440, 90)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--at", "2024-01-02T15:31:00Z", "--column", "close"), "the nearest bars open at 2024-01-02T15:30:00Z and"),
        (("--at", "2024-01-02T15:30", "--column", "close"), "has no timezone"),
        (("--at", "2024-01-02", "--column", "sma9"), "nearest: sma_9"),
        (("--at", "2024-01-02", "--column", "close", "--engine", "auto"), "engine: 'auto' is unknown"),
        (("--at", "2024-01-02", "--column", "close", "--timezone", "Mars"), "timezone"),
    ],
)
def test_what_cannot_be_explained(run: Any, store: Path, arguments: tuple[str, ...], message: str) -> None:
    ran = run("explain", "AAPL", "--timeframe", "5m", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_value_outside_its_bound_ends_with_1(run: Any, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candles = ClassicService.candles

    def wrong(self: Any, request: Any) -> Any:
        import dataclasses

        answer = candles(self, request)
        return dataclasses.replace(
            answer, indicators={name: values + 1.0 for name, values in answer.indicators.items()}
        )

    monkeypatch.setattr(ClassicService, "candles", wrong)
    ran = run(*ASKED, "sma_9", "--engine", "classic")
    assert ran.code == 1
    assert "is NOT KEPT" in ran.out
    monkeypatch.setattr(ClassicService, "candles", lambda *asked: _nothing(wrong(*asked)))
    ran = run(*ASKED, "sma_9", "--engine", "classic")
    assert ran.code == 1
    assert "only one of them is undefined" in ran.out
    assert "not by its definition" in ran.out


def _nothing(answer: Any) -> Any:
    import dataclasses

    return dataclasses.replace(answer, indicators={name: values * np.nan for name, values in answer.indicators.items()})


def test_what_is_undefined_says_why(run: Any, store: Path) -> None:
    ran = run("explain", "AAPL", "--timeframe", "5m", "--at", "2024-01-02", "--column", "sma_9")
    assert ran.code == 0
    assert ": undefined\n" in ran.out
    assert "undefined    warm-up: 9 bars are needed, 1 is there" in ran.out
    assert "both undefined" in ran.out


def test_what_is_not_recomputed_says_so(run: Any, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("candlewick.explain.recomputed.MOST", 3)
    ran = run(*ASKED, "ema_9")
    assert ran.code == 0
    assert "not recomputed: what is 3 bars ago still counts" in ran.out
    assert "difference   not known" in ran.out


def test_what_was_left_out_is_told(run: Any, store: Path) -> None:
    found = run("explain", "AAPL", "--timeframe", "1m", "--at", "2024-01-02T20:30Z", "--column", "ema_3", "--json").json
    assert "begun at 2024-01-02T" in told(found)["exactly"]
    assert "what was before moves it by" in told(found)["exactly"]
    fallen = told(found | {"fallback": True})
    assert "after the other engine failed" in fallen["engine"]


def test_through_the_server_that_owns_the_store(run: Any, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way through HTTP is tried by tests/server; here: what is asked of a server and shown of its answer."""
    from candlewick.cli import connection
    from candlewick.errors import StoreBusyError

    class Place(Client):
        asked: tuple[Any, ...] = ()

        def explain(self, *asked: Any, **about: Any) -> dict[str, Any]:
            Place.asked = (*asked, about)
            return found

    found = run(*ASKED, "sma_9", "--json").json
    with open_store(store):

        def busy(*_: Any) -> Any:
            raise StoreBusyError(str(store), f"process 1 on {socket.gethostname()}")

        monkeypatch.setattr(connection, "open_for_reading", busy)
        monkeypatch.setattr(connection, "reach", lambda _: Place("http://127.0.0.1:9"))
        assert run(*ASKED, "sma_9", "--json").json == found
        assert Place.asked == (
            "AAPL", "5m", "2024-01-02T15:30:00Z", "sma_9",
            {"engine": "auto", "source": None, "zero_volume": "keep", "as_of": None, "adjusted": False},
        )  # fmt: skip
        run(*ASKED, "sma_9", "--engine", "optimized", "--source", "1m", "--zero-volume", "drop")
        assert Place.asked[-1] == {
            "engine": "optimized",
            "source": "1m",
            "zero_volume": "drop",
            "as_of": None,
            "adjusted": False,
        }

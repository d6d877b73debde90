"""candlewick follow: candles into the store as they come, and what is said at the end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from candlewick.cli.follow import _until_stopped
from candlewick.store.open import open_store

HEADER = "time,open,high,low,close,volume\n"


def row(minute: int, close: float = 1.0) -> str:
    return f"2024-01-02T14:{30 + minute}:00Z,{close},{close},{close},{close},5\n"


class Script:
    """Stands for the event that ends a command: at each wait the next act is done, and after the last one it ends."""

    def __init__(self, *acts: Callable[[], Any]) -> None:
        self.acts = list(acts)
        self.over = False

    def is_set(self) -> bool:
        return self.over

    def wait(self, seconds: float) -> bool:
        if self.acts:
            self.acts.pop(0)()
        else:
            self.over = True
        return self.over


Scripted = Callable[..., None]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Let the next command wait by a script."""

    def use(*acts: Callable[[], Any]) -> None:
        @contextmanager
        def stopped(_: float | None) -> Iterator[Script]:
            yield Script(*acts)

        monkeypatch.setattr("candlewick.cli.follow._until_stopped", stopped)

    return use


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of our own."""
    path = tmp_path / "candles.duckdb"
    monkeypatch.setenv("CANDLEWICK_STORE", str(path))
    return path


def nothing() -> None:
    """Time passes."""


def test_a_file_that_grows_is_taken_in(run: Any, tmp_path: Path, scripted: Scripted) -> None:
    feed = tmp_path / "feed.csv"
    feed.write_text(HEADER + row(0))

    def grow() -> None:
        with feed.open("a") as file:
            file.write(row(0, 2.0) + row(1, 3.0) + row(1) + "2024-01-02T14:32:00Z,2,1,1,1,5\n" + row(3)[:-1])

    scripted(grow, nothing)
    ran = run("follow", feed, "--symbol", "A", "--calendar", "XNYS", "--json")
    assert ran.code == 0
    found = {name: ran.json[name] for name in ("rows", "inserted", "updated", "quarantined", "superseded", "symbols")}
    assert list(found.values()) == [4, 2, 1, 1, 1, ["A"]]
    with open_store(os.environ["CANDLEWICK_STORE"]) as store:
        assert store.read("A", "1m").close.tolist() == [2.0, 1.0]
        assert [one.file for one in store.quarantined()] == ["feed.csv"]


def test_a_folder_is_taken_in(run: Any, tmp_path: Path, scripted: Scripted) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    scripted(lambda: (folder / "A.csv").write_text(HEADER + row(0) + row(1)), nothing, nothing)
    ran = run("follow", folder, "--symbol", "A", "--calendar", "XNYS")
    assert ran.code == 0
    assert ran.out.startswith("2 rows of 1 symbol in")
    assert "2 inserted, 0 updated" in ran.out


def test_a_replay(run: Any, tmp_path: Path, scripted: Scripted) -> None:
    file = tmp_path / "a.csv"
    file.write_text(HEADER + "".join(row(minute) for minute in range(6)))
    run("ingest", file, "--symbol", "A", "--calendar", "XNYS")
    about = ("follow", "--replay", "A", "--from", "2024-01-02", "--to", "2024-01-03", "--speed", 1_000_000)
    ran = run(*about, "--json")
    assert (ran.code, ran.json["inserted"], ran.json["symbols"]) == (0, 6, ["A.replay"])
    ran = run(*about, "--now", "--as", "B")
    assert "6 rows of 1 symbol" in ran.out
    shown = {one["symbol"]: one for one in run("symbols", "--json").json}
    assert shown["A.replay"]["first"] == shown["A"]["first"]
    assert (shown["B"]["calendar"], shown["B"]["rows"]) == ("24/7", 6)
    assert shown["B"]["first"][:4] >= "2025"


def test_a_simulated_exchange(run: Any, scripted: Scripted) -> None:
    about = ("follow", "--simulated", 2, "--calendar", "XNYS", "--from", "2024-01-02", "--json")
    scripted(*[nothing] * 24)  # at this pace a candle is told twelve times
    ran = run(*about, "--speed", 1)
    assert ran.code == 0
    assert ran.json["symbols"] == ["SIM0001", "SIM0002"]
    assert (ran.json["rows"], ran.json["inserted"], ran.json["duplicates"]) == (50, 6, 0)
    assert ran.json["updated"] + ran.json["unchanged"] == 44


def test_a_simulated_exchange_of_today(run: Any, scripted: Scripted) -> None:
    scripted(nothing)
    ran = run("follow", "--simulated", 1, "--calendar", "24/7", "--speed", 60, "--json")
    assert ran.json["inserted"] >= 1


def test_through_the_server_that_owns_the_store(run: Any, tmp_path: Path, served: str, scripted: Scripted) -> None:
    file = tmp_path / "a.csv"
    file.write_text(HEADER + row(0) + row(1))
    store = tmp_path / "served.duckdb"
    scripted()
    ran = run("follow", file, "--symbol", "A", "--calendar", "XNYS", "--json", "--store", store)
    assert (ran.code, ran.json["inserted"]) == (0, 2)
    assert [one["symbol"] for one in httpx.get(f"{served}/v1/symbols").json()] == ["A"]
    scripted(*[nothing] * 9)
    ran = run("follow", "--replay", "A", "--speed", 60, "--json", "--store", store)
    assert (ran.code, ran.json["inserted"], ran.json["symbols"]) == (0, 2, ["A.replay"])


def test_signals_and_time_end_it() -> None:
    before = signal.getsignal(signal.SIGINT)
    for seconds in (None, 0.01):
        with _until_stopped(seconds) as stopped:
            if seconds is None:
                assert not stopped.is_set()
                signal.raise_signal(signal.SIGTERM)
            assert stopped.wait(20)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "paths"),
        (("a.csv", "--simulated", 1), "paths"),
        (("a.csv",), "calendar"),
        (("a.xlsx", "--calendar", "XNYS"), "path"),
        (("a.csv", "--calendar", "XNYS", "--every", 0), "every"),
        (("--simulated", 1), "calendar"),
        (("--simulated", 100_000, "--calendar", "24/7"), "simulated"),
        (("--simulated", 1, "--calendar", "24/7", "--speed", 0), "speed"),
        (("--replay", "NONE"), "store"),
    ],
)
def test_what_cannot_be_followed(run: Any, arguments: tuple[Any, ...], says: str) -> None:
    ran = run("follow", *arguments)
    assert ran.code == 2
    assert ran.err.splitlines()[-1].startswith(f"Error: {says}")


def test_the_session_of_today_may_be_over(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = 1_704_542_400  # of a Saturday, of which the next session is two days ahead
    monkeypatch.setattr("candlewick.cli.follow.time.time_ns", lambda: (noon + 5 * 86_400) * 1_000_000_000)
    monkeypatch.setattr("candlewick.cli.follow.time.strftime", lambda *_: "2024-01-06")
    ran = run("follow", "--simulated", 1, "--calendar", "XNYS")
    assert (ran.code, "the session of today is over" in ran.err) == (2, True)


def test_a_replay_of_nothing(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(HEADER + row(0))
    run("ingest", file, "--symbol", "A", "--calendar", "XNYS")
    for arguments, says in (
        (("--replay", "A", "--as", "A"), "as: 'A'"),
        (("--replay", "A", "--from", "2024-01-03", "--to", "2024-01-04"), "from"),
        (("--replay", "A", "--timeframe", "5m"), "timeframe"),
        (("--replay", "B"), "symbol: 'B'"),
    ):
        ran = run("follow", *arguments)
        assert (ran.code, says in ran.err) == (2, True), ran.err


@pytest.fixture
def served(tmp_path: Path) -> Any:
    """The address of a server that owns a store."""
    import uvicorn

    from candlewick.server.http import create_app
    from candlewick.server.run import address_of, bind
    from candlewick.testing.small_application import SmallApplication

    application = SmallApplication(open_store(str(tmp_path / "served.duckdb")))
    listening = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(application), log_config=None))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    address = address_of(listening)
    application.announce(address)
    yield address
    server.should_exit = True
    thread.join(20)
    application.close()

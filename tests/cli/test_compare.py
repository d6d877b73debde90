"""compare on the command line: what it says, and its exit codes, beside a store and through a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import OPEN, Run, series

from candlewick.app import build
from candlewick.cli.compare import _pairs, _through
from candlewick.client import Client
from candlewick.errors import InputError, UnknownSeriesError
from candlewick.store.memory import MemoryStore
from candlewick.timeframe import Timeframe
from candlewick.validator.temporary_server import served


@pytest.fixture
def export(store: Path, run: Run, tmp_path: Path) -> Path:
    """AAPL at five minutes with three indicators, as our own command writes it."""
    asked = ("--timeframe", "5m", "--indicators", "sma(9),bollinger(20,2),ema(9)", "--format", "csv")
    path = tmp_path / "export.csv"
    path.write_text(run("candles", "AAPL", *asked).out)
    return path


def test_nothing_differs(run: Run, export: Path) -> None:
    ran = run("compare", "AAPL", export, "--timeframe", "5m")
    assert ran.code == 0
    assert "78 rows compared, 78 equal, 0 differ, 0 of them unexplained\n" in ran.out
    assert ran.out.endswith("nothing differs\n")
    told = run("compare", "AAPL", export, "--timeframe", "5m", "--json")
    assert (told.code, told.json["same"], told.json["causes"]) == (0, True, [])


def test_a_missing_row_and_other_closes(run: Run, export: Path) -> None:
    lines = export.read_text().splitlines()
    cells = lines[40].split(",")
    cells[4] = "100.5"
    lines[40] = ",".join([*cells[:2], "100.6", "99", *cells[4:]])
    broken = lines[60].replace("2024-", "never")
    export.write_text("\n".join([*lines[:30], *lines[31:60], broken, *lines[61:]]) + "\n")
    ran = run("compare", "AAPL", export, "--timeframe", "5m")
    assert ran.code == 1
    assert "line 60 left out: unreadable time" in ran.out
    assert "missing_bar: 2024-01-02T16:55:00Z: the reference has no such bar" in ran.out
    assert "close 99.99 here, 100.5 there" in ran.out or "here, 100.5 there" in ran.out
    told = run("compare", "AAPL", export, "--timeframe", "5m", "--json")
    assert told.code == 1
    assert {cause["name"] for cause in told.json["causes"]} == {"missing_bar", "source"}
    assert told.json["unexplained"] == 0


def test_what_is_shown_of_much(run: Run, export: Path) -> None:
    lines = export.read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    header = lines[0].replace("sma_9", "Plot")
    noise = np.random.default_rng(1).integers(1, 9, len(rows))
    text = [",".join([*row[:5], str(noise[at]), *row[6:8], str(noise[at]), *row[9:]]) for at, row in enumerate(rows)]
    refused = [f"never,{line}" for line in range(8)]
    export.write_text("\n".join([header, *text, *refused]) + "\n")
    asked = ("compare", "AAPL", export, "--timeframe", "5m", "--rows", "20")
    ran = run(*asked, "--columns", "Plot=sma_9")
    assert ran.code == 1
    assert "Plot is sma_9" in ran.out
    assert "and 3 more lines left out" in ran.out
    assert "source: and 73 more bars" in ran.out
    assert "20 of 78 differing rows, unexplained ones first; --rows shows more" in ran.out
    assert "would explain it" in ran.out
    assert "not matched: Plot" in run(*asked).out
    assert "because of" not in run(*asked, "--rows", "0").out


def test_labels_and_rows_outside(run: Run, export: Path) -> None:
    header, *lines = export.read_text().splitlines()
    rows = [line.split(",") for line in lines]
    later = [f"{np.datetime64(row[0][:-1]) + np.timedelta64(300, 's')!s}Z" for row in rows]
    far = [f"2024-01-03T15:00:00Z,{','.join(rows[0][1:])}"]
    stamped = [",".join([time, *row[1:]]) for time, row in zip(later, rows, strict=True)]
    export.write_text("\n".join([header, *stamped, *far]) + "\n")
    ran = run("compare", "AAPL", export, "--timeframe", "5m")
    assert ran.code == 1
    assert "stamped with the bar's close (or: " in ran.out
    assert "outside our series: 1 rows" in ran.out


def test_part_of_the_rows_in_local_time(run: Run, export: Path) -> None:
    asked = ("--start", "2024-01-02T10:00", "--end", "2024-01-02T11:00", "--timezone", "America/New_York")
    ran = run("compare", "AAPL", export, "--timeframe", "5m", *asked)
    assert "12 rows compared, 12 equal" in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("NONE", "export.csv", "--timeframe", "5m"), "symbol: 'NONE' is not in the store"),
        (("AAPL", "absent.csv", "--timeframe", "5m"), "reference: 'absent.csv' is no file"),
        (("AAPL", "export.csv", "--timeframe", "7x"), "timeframe: '7x'"),
        (("AAPL", "export.csv", "--timeframe", "5m", "--columns", "a"), "columns: 'a' cannot be read"),
        (("AAPL", "export.csv", "--timeframe", "5m", "--columns", "x=sma_9"), "columns: 'x' is unknown"),
        (("AAPL", "export.csv", "--timeframe", "5m", "--columns", "a=sma_9,a=ema_9"), "columns: 'a' is given twice"),
        (("AAPL", "export.csv", "--timeframe", "5m", "--tolerance", "2"), "tolerance: 2.0 is not valid"),
    ],
)
def test_bad_input(run: Run, export: Path, arguments: tuple[str, ...], message: str) -> None:
    ran = run("compare", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_numbers_with_a_comma_are_told_as_such(run: Run, export: Path) -> None:
    lines = export.read_text().replace(",", ";").replace(".", ",")
    export.write_text(lines)
    ran = run("compare", "AAPL", export, "--timeframe", "5m")
    assert ran.code == 2
    assert "has no column of numbers; write numbers as 1234.5: a point" in ran.err


def test_titles_may_have_equals_signs() -> None:
    assert _pairs("a=b=sma_9, Plot = vwap") == {"a=b": "sma_9", "Plot": "vwap"}
    assert _pairs(None) == {}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A server over AAPL at one minute and BTC/USD at five."""
    store = MemoryStore()
    store.upsert(series("AAPL", OPEN - np.timedelta64(300, "s"), 400))
    store.upsert(series("AAPL", OPEN, 1, timeframe="1d"))
    store.upsert(series("BTC/USD", OPEN, 100, calendar="24/7", timeframe="1h"))
    with (
        build(store) as application,
        served(application, "candlewick.server.http:create_app") as plain,
        Client(str(plain.base_url)) as one,
    ):
        yield one


def test_through_the_server_that_owns_the_store(
    run: Run, export: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = run("compare", "AAPL", export, "--timeframe", "5m", "--json")
    monkeypatch.setattr("candlewick.cli.connection.open_or_reach", lambda _: Client(client.address))
    ran = run("compare", "AAPL", export, "--timeframe", "5m", "--json")
    assert (ran.code, ran.json) == (direct.code, direct.json)


def test_what_a_server_does_not_have(client: Client) -> None:
    with pytest.raises(UnknownSeriesError, match="symbol: 'NONE' is not in the store"):
        _through(client, "NONE", Timeframe.parse("5m"))
    with pytest.raises(InputError, match="stored of BTC/USD are: 1h"):
        _through(client, "BTC/USD", Timeframe.parse("5m"))
    assert str(_through(client, "AAPL", Timeframe.parse("1d")).timeframe) == "1d"

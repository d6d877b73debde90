"""All lines of a process in one form."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import warnings

import pytest

from candlewick.server.logs import TALKATIVE, logging_to
from candlewick.server.request_log import Line

KEY = f"cw_0123abcd_{'5' * 64}"


def line(**about):
    known = {"time": "2024-01-02T14:30:00.000Z", "level": "info", "event": "request", "id": "a-1", "method": "GET"}
    return Line(**known | {"path": "/v1/symbols", "status": 200, "ms": 1.5, "bytes": 7} | about)


@pytest.fixture
def file(tmp_path):
    with (tmp_path / "log").open("w+", encoding="utf-8") as opened:
        yield opened


def written(file):
    file.seek(0)
    return file.read()


def failing():
    key = KEY
    raise ValueError(f"with {len(key)} signs")


def test_away_from_a_terminal_each_line_is_a_json_object(file):
    with logging_to(file) as logs:
        logging.getLogger("candlewick.x").info("said %s", "so", extra={"more": 1})
        logging.getLogger("uvicorn.error").warning("careful")
        logs.request(line(symbol="SPY"))
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", DeprecationWarning, stacklevel=1)
        try:
            failing()
        except ValueError:
            logging.getLogger("candlewick.x").exception("failed")
    said, careful, request, warned, failed = map(json.loads, written(file).splitlines())
    assert list(said)[:3] == ["time", "level", "event"]
    assert (said["level"], said["event"], said["logger"]) == ("info", "said so", "candlewick.x")
    assert (careful["level"], careful["logger"]) == ("warning", "uvicorn.error")
    assert request == {
        "time": "2024-01-02T14:30:00.000Z",
        "level": "info",
        "event": "request",
        "id": "a-1",
        "method": "GET",
        "path": "/v1/symbols",
        "status": 200,
        "ms": 1.5,
        "bytes": 7,
        "symbol": "SPY",
    }
    assert "DeprecationWarning: old" in warned["event"]
    assert failed["event"] == "failed"
    assert "ValueError: with 76 signs" in failed["exception"]


@pytest.mark.parametrize("terminal", [True, False])
def test_no_value_of_a_variable_and_no_key_is_shown(file, terminal):
    with logging_to(file, terminal=terminal):
        try:
            failing()
        except ValueError:
            logging.getLogger("candlewick.x").exception("failed with %s", KEY)
    shown = written(file)
    assert "5" * 64 not in shown
    assert "cw_0123abcd_(not shown)" in shown


def test_at_a_terminal_it_is_for_a_reader(file):
    with logging_to(file, terminal=True) as logs:
        logging.getLogger("candlewick.x").info("said so")
        logs.request(line(symbol="SPY", fallback=False))
    said, request = re.sub(r"\x1b\[[0-9;]*m", "", written(file)).splitlines()
    assert re.fullmatch(r"\S+Z \[info +\] said so +\[candlewick.x\] *", said)
    assert request == (
        "2024-01-02T14:30:00.000Z [info    ] GET /v1/symbols 200 ms=1.5 bytes=7 symbol=SPY fallback=False id=a-1"
    )


def test_the_level_decides_what_is_written(file):
    with logging_to(file, "warning") as logs:
        logging.getLogger("candlewick.x").info("no")
        logs.request(line())
        logs.request(line(level="warning", status=503))
        assert logging.getLogger("uvicorn").level == logging.WARNING
    assert [json.loads(one)["status"] for one in written(file).splitlines()] == [503]
    with logging_to(file, "debug"):
        assert logging.getLogger("uvicorn").level == logging.DEBUG


def test_afterwards_everything_is_as_before(file):
    root = logging.getLogger()
    before = root.handlers[:], root.level, [logging.getLogger(name).level for name in TALKATIVE]
    showing = warnings.showwarning
    with pytest.raises(KeyError), logging_to(file):
        raise KeyError("x")
    assert (root.handlers, root.level, [logging.getLogger(name).level for name in TALKATIVE]) == before
    assert warnings.showwarning is showing


def test_standard_error_is_where_it_goes(file, monkeypatch):
    monkeypatch.setattr(sys, "stderr", file)
    with logging_to():
        logging.getLogger("candlewick.x").info("here")
    assert json.loads(written(file))["event"] == "here"


def test_what_was_dropped_is_told_in_the_same_form(file, monkeypatch):
    with logging_to(file) as logs:
        monkeypatch.setattr(logs.writer, "_room", 10)
        for _ in range(3):
            logs.request(line())
        assert logs.writer.stats()["dropped"] == 3
        monkeypatch.setattr(logs.writer, "_room", 10_000)
        logs.request(line())
    lines = [json.loads(one) for one in written(file).splitlines()]
    assert [one.get("dropped") for one in lines] == [None, 3]
    assert lines[1]["level"] == "warning"


def test_signs_that_no_terminal_knows_are_written_all_the_same(file):
    with logging_to(file, terminal=True):
        logging.getLogger("candlewick.x").info("a \ud800 sign")
    assert r"a \ud800 sign" in written(file)


def test_a_stream_in_memory_stands_for_standard_error(capfd):
    with logging_to(io.StringIO()):
        logging.getLogger("candlewick.x").info("here")
    assert json.loads(capfd.readouterr().err)["event"] == "here"

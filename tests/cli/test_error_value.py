"""Error value: with ``--json`` a failure is one JSON value too, and nothing else on standard output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from candlewick.cli.error_value import wants_json


@pytest.mark.parametrize(
    ("arguments", "kind", "parameter", "text"),
    [
        ("candles APPL --timeframe 5m --json", "unknown-series", "symbol", "nearest: AAPL"),
        ("candles AAPL --timeframe 5m --indicators smaa(9) --json", "unknown-name", "indicator", "nearest: sma"),
        ("ingest nosuch.csv --calendar XNYS --json", "input", "files", "does not exist"),
        ("flags set nonsense 1 --json", "unknown-name", "flag", "is unknown"),
        ("keys revoke nobody --json", "unknown-name", "id", "is unknown"),
        ("compare AAPL nosuch.csv --timeframe 5m --json", "input", "reference", "is no file"),
        ("validate --json - --store nosuch.duckdb", "input", "store", "is absent"),
    ],
)
def test_an_error_is_the_one_json_value(
    run: Any, store: Path, arguments: str, kind: str, parameter: str, text: str
) -> None:
    ran = run(*arguments.split())
    assert ran.code == 2
    error = ran.json["error"]
    assert (error["type"], error["parameter"]) == (f"urn:candlewick:problem:{kind}", parameter)
    assert text in error["detail"]
    assert "status" not in error
    assert ran.err == f"Error: {error['detail']}\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("candles AAPL --json", "Missing option '--timeframe'"),
        ("symbols --nonsense --json", "No such option"),
        ("nonsense --json", "No such command"),
        ("rollout rollback --json", "Missing option '--why'"),
        ("validate --profile slow --json=-", "'slow' is not one of"),
    ],
)
def test_so_is_a_command_line_that_cannot_be_read(run: Any, arguments: str, text: str) -> None:
    ran = run(*arguments.split())
    assert ran.code == 2
    assert ran.json["error"]["title"] == "Bad usage"
    assert text in ran.json["error"]["detail"]
    assert text in ran.err


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((), False),
        (("symbols",), False),
        (("symbols", "--json"), True),
        (("export", "--", "--json"), False),
        (("validate", "--json", "report.json"), False),
        (("validate", "--json"), False),
        (("validate", "--json", "-"), True),
        (("bench", "--json=-", "desk"), True),
        (("serve", "--worker", "--json"), False),
        (("--json",), True),
    ],
)
def test_who_wants_json(arguments: tuple[str, ...], wanted: bool) -> None:
    assert wants_json(arguments) is wanted

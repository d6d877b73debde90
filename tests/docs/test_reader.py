"""The reader who follows the documents notices what is not as shown."""

from __future__ import annotations

import pytest


def drifts(reader, text):
    return [(one.command, one.shown, one.real) for one in reader.follow(text)]


def test_an_output_that_is_as_shown_is_no_drift(reader):
    assert drifts(reader, "```python\nprint(1 + 1)\n```\n\n```text\n2\n```\n") == []


def test_an_output_that_differs_is_one(reader):
    assert drifts(reader, "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n") == [("print(1 + 1)", "3\n", "2\n")]


def test_an_output_that_is_not_shown_is_one(reader):
    assert drifts(reader, "```python\nprint(1)\n```\n\nWords.\n\n```text\n1\n```\n") == [("print(1)", "", "1\n")]


def test_names_last_from_block_to_block(reader):
    assert drifts(reader, "```python\nx = 5\n```\n```python\nprint(x)\n```\n\n```text\n5\n```\n") == []


def test_a_command_that_fails_is_noticed(reader):
    with pytest.raises(AssertionError, match="ends with 2, not 0"):
        reader.follow("```console\n$ candlewick candles AAPL --timeframe 7x\n```\n")


def test_a_command_that_should_fail_and_does_not_is_noticed(reader):
    with pytest.raises(AssertionError, match="ends with 0, not 2"):
        reader.follow("```console\n$ candlewick --version\nError: no\n```\n")


def test_files_are_written_and_commands_may_go_over_lines(reader):
    text = "```csv a.csv\none\ntwo\n```\n```console\n$ head \\\n    -1 a.csv\none\n$ cat a.csv\none\n...\n```\n"
    assert drifts(reader, text) == []


def test_anything_may_stand_in_for_dots_but_not_for_the_rest(reader):
    shown = "```csv a.csv\nx is 12 and\ny\n```\n```console\n$ cat a.csv\n{}\n```\n"
    assert drifts(reader, shown.format("x is ... and\n...")) == []
    assert drifts(reader, shown.format("...\ny")) == []
    assert len(drifts(reader, shown.format("x is ..."))) == 1
    assert len(drifts(reader, shown.format("...\nz"))) == 1


def test_times_may_differ_and_counts_may_not(reader):
    shown = "```csv a.csv\n5 rows in 0.31 s (16 rows/s)\n```\n```console\n$ cat a.csv\n{}\n```\n"
    assert drifts(reader, shown.format("5 rows in 1.20 s (4 rows/s)")) == []
    assert len(drifts(reader, shown.format("6 rows in 0.31 s (16 rows/s)"))) == 1


def test_a_refreshed_document_shows_what_happens(reader):
    text = "```python\nprint(1)\n```\n\n```python\nprint(2)\n```\n\n```text\n3\n```\n"
    fresh = reader.refreshed(text, reader.follow(text))
    assert fresh == "```python\nprint(1)\n```\n\n```text\n1\n```\n\n```python\nprint(2)\n```\n\n```text\n2\n```\n"
    assert reader.follow(fresh) == []


def test_settings_do_not_outlast_a_document(reader):
    assert drifts(reader, "```console\n$ export CANDLEWICK_STORE=x.duckdb\n```\n") == []
    assert (
        drifts(reader, "```python\nimport os\nprint(os.environ['CANDLEWICK_STORE'])\n```\n\n```text\nx.duckdb\n```\n")
        == []
    )

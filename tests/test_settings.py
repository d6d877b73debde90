"""Settings: precedence, provenance, and a loud refusal of anything unknown or unusable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.definitions import FLAGS, NUMBERS
from candlewick.errors import FileFormatError, InputError, UnknownNameError
from candlewick.settings import EXPECTED, PREFIX, TOML, control_path, default_store, load_settings, secret_key


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.startswith(PREFIX):
            monkeypatch.delenv(variable)


def write(folder: Path, text: str) -> None:
    (folder / TOML).write_text(text, encoding="utf-8")


def test_every_setting_has_a_default_and_says_so(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert [item.name for item in settings.items] == list(EXPECTED)
    assert {item.origin for item in settings.items} == {"default"}
    assert settings["store"].value == default_store()
    assert settings["store"].value.startswith("duckdb:///")
    assert settings["sessions"].value is None
    assert settings["control"].value is None
    assert settings.flags() == {name: (one.default, "default") for name, one in FLAGS.items()}
    assert [settings.number(name) for name in NUMBERS] == [2.0, 200.0]


@given(in_toml=st.booleans(), in_environment=st.booleans())
def test_environment_is_before_toml_is_before_default(
    tmp_path_factory: pytest.TempPathFactory, in_toml: bool, in_environment: bool
) -> None:
    folder = tmp_path_factory.mktemp("work")
    if in_toml:
        write(folder, 'store = "toml.duckdb"')
    with pytest.MonkeyPatch.context() as patch:
        if in_environment:
            patch.setenv("CANDLEWICK_STORE", "environment.duckdb")
        store = load_settings(folder)["store"]
    if in_environment:
        assert (store.value, store.origin) == ("environment.duckdb", "environment CANDLEWICK_STORE")
    elif in_toml:
        assert (store.value, store.origin) == ("toml.duckdb", TOML)
    else:
        assert (store.value, store.origin) == (default_store(), "default")


def test_an_empty_variable_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLEWICK_STORE", "")
    assert load_settings(tmp_path)["store"].origin == "default"


def test_the_working_folder_is_the_default_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'store = "here.duckdb"')
    monkeypatch.chdir(tmp_path)
    assert load_settings()["store"].value == "here.duckdb"


def test_export_hands_toml_values_to_the_environment_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLEWICK_CACHE", "left over")
    monkeypatch.delenv("CANDLEWICK_CACHE")
    write(tmp_path, f"cache = '{tmp_path / 'kernels'}'")
    load_settings(tmp_path).export()
    assert os.environ["CANDLEWICK_CACHE"] == str(tmp_path / "kernels")
    assert "CANDLEWICK_STORE" not in os.environ


def test_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, 'stor = "x"')
    with pytest.raises(UnknownNameError, match=r"key in candlewick.toml: 'stor' is unknown; nearest: store"):
        load_settings(tmp_path)


def test_an_unknown_variable_names_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLEWICK_STOER", "x")
    with pytest.raises(UnknownNameError, match=r"environment variable: 'CANDLEWICK_STOER' is unknown; nearest: CANDLE"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("store = 5", r"store \(candlewick.toml\): 5 .*give memory:"),
        ('store = ""', r"store \(candlewick.toml\): '' .*give memory:"),
        ('sessions = "absent.csv"', r"sessions \(candlewick.toml\): 'absent.csv' .*existing CSV file"),
    ],
)
def test_a_bad_value_says_where_it_stands_and_what_is_right(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text)
    with pytest.raises(InputError, match=message):
        load_settings(tmp_path)


def test_a_bad_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("CANDLEWICK_CACHE", str(file))
    with pytest.raises(InputError, match=r"cache \(environment CANDLEWICK_CACHE\): .*is not a folder; give a folder"):
        load_settings(tmp_path)


@pytest.mark.parametrize("content", [b"store = ", b"\xff\xfe\x00"])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / TOML).write_bytes(content)
    with pytest.raises(FileFormatError, match=r"candlewick.toml: .* is no TOML"):
        load_settings(tmp_path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / TOML).mkdir()
    with pytest.raises(InputError, match=r"candlewick.toml: .* cannot be read: Is a directory"):
        load_settings(tmp_path)


@given(in_toml=st.booleans(), in_environment=st.booleans())
def test_flags_at_start_come_from_the_same_places(
    tmp_path_factory: pytest.TempPathFactory, in_toml: bool, in_environment: bool
) -> None:
    folder = tmp_path_factory.mktemp("work")
    if in_toml:
        write(folder, "rollout_percentage = 5\ncache_enabled = false")
    with pytest.MonkeyPatch.context() as patch:
        if in_environment:
            patch.setenv("CANDLEWICK_ROLLOUT_PERCENTAGE", "12.5")
        flags = load_settings(folder).flags()
    if in_environment:
        assert flags["rollout_percentage"] == (12.5, "environment CANDLEWICK_ROLLOUT_PERCENTAGE")
    elif in_toml:
        assert flags["rollout_percentage"] == (5.0, TOML)
    else:
        assert flags["rollout_percentage"] == (0.0, "default")
    assert flags["cache_enabled"] == ((False, TOML) if in_toml else (True, "default"))


def test_an_empty_flag_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLEWICK_MAX_CACHE_MB", "")
    assert load_settings(tmp_path).flags()["max_cache_mb"] == (512, "default")


def test_a_flag_out_of_range_says_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "rollout_percentage = 150")
    message = r"rollout_percentage \(candlewick.toml\): 150 is not valid; give a number from 0 to 100"
    with pytest.raises(InputError, match=message):
        load_settings(tmp_path)
    monkeypatch.setenv("CANDLEWICK_ROLLOUT_PERCENTAGE", "many")
    with pytest.raises(InputError, match=r"environment CANDLEWICK_ROLLOUT_PERCENTAGE\): 'many'"):
        load_settings(tmp_path)


def test_a_number_is_set_like_any_other(tmp_path: Path) -> None:
    write(tmp_path, "grace_seconds = 0.5")
    assert load_settings(tmp_path).number("grace_seconds") == 0.5


def test_flags_stay_out_of_the_environment(tmp_path: Path) -> None:
    write(tmp_path, "rollout_percentage = 5")
    load_settings(tmp_path).export()
    assert "CANDLEWICK_ROLLOUT_PERCENTAGE" not in os.environ, "a child would take it for its own"


@pytest.mark.parametrize(
    ("store", "control", "found"),
    [
        ("duckdb:///data/x.duckdb", None, Path("/data/x.duckdb.control.sqlite")),
        ("duckdb:///C:/data/x.duckdb", None, Path("C:/data/x.duckdb.control.sqlite")),
        ("x.duckdb", None, Path("x.duckdb.control.sqlite")),
        ("memory:", None, None),
        ("memory:", "own.sqlite", Path("own.sqlite")),
        ("x.duckdb", "own.sqlite", Path("own.sqlite")),
    ],
)
def test_the_control_journal_lies_beside_the_store(store: str, control: str | None, found: Path | None) -> None:
    assert control_path(store, control) == found


KEY = f"cw_0123abcd_{'5' * 64}"


def test_a_key_comes_from_the_environment_and_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (load_settings(tmp_path)["key"].value, secret_key()) == (None, None)
    monkeypatch.setenv("CANDLEWICK_KEY", KEY)
    settings = load_settings(tmp_path)
    assert (settings["key"].value, settings["key"].origin) == ("set", "environment CANDLEWICK_KEY")
    assert KEY not in repr(settings)
    assert secret_key() == KEY


@pytest.mark.parametrize("given", [KEY[:-1], f"{KEY}0", KEY.upper(), "secret"])
def test_half_a_key_is_refused_without_showing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("CANDLEWICK_KEY", given)
    with pytest.raises(InputError, match=r"key \(environment CANDLEWICK_KEY\): .* is no whole key") as raised:
        load_settings(tmp_path)
    assert given not in str(raised.value)
    assert given not in repr(vars(raised.value))


def test_a_key_in_a_file_is_refused_without_showing_it(tmp_path: Path) -> None:
    write(tmp_path, f'key = "{KEY}"')
    with pytest.raises(InputError, match="does not belong into a file") as raised:
        load_settings(tmp_path)
    assert KEY not in str(raised.value)


def test_the_level_of_the_log_is_one_of_four(tmp_path: Path) -> None:
    write(tmp_path, 'log_level = "loud"')
    with pytest.raises(InputError, match=r"log_level \(candlewick.toml\): 'loud' .*give debug, info, warning or error"):
        load_settings(tmp_path)

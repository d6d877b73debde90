"""build: one object for one text, kept on disk, whoever else builds it at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from candlewick.kernels import build, built_before, cache_folder, kernel_version
from candlewick.kernels.build import Kernel, jit_disabled

building = import_module("candlewick.kernels.build")  # the package gives its function this name
pytestmark = [pytest.mark.kernel, pytest.mark.traced]
compiled_only = pytest.mark.skipif(jit_disabled(), reason="needs compiled code")

TEXT = """
@inline
def twice(value):
    return value * 2.0

@entry("void(float64[::1])")
def double(values):
    p = shift(address(values), 0)
    for i in range(values.size):
        p[i] = twice(p[i])
"""
SCRIPT = """
import sys
import numpy as np
from candlewick.kernels import build
kernel = build("trial", sys.argv[1])
values = np.arange(4.0)
kernel.double(values)
stats = getattr(kernel.double, "stats", None)
print(values.tolist(), kernel.version, sum(stats.cache_hits.values()) if stats else "plain")
"""


def doubled(kernel: Kernel) -> list[float]:
    values = np.arange(4.0)
    kernel.double(values)
    result: list[float] = values.tolist()
    return result


def start(cache: Path, text: str = TEXT) -> subprocess.Popen[str]:
    environment = {**os.environ, "CANDLEWICK_CACHE": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT, text], stdout=subprocess.PIPE, text=True, env=environment
    )


def finished(process: subprocess.Popen[str]) -> tuple[str, str, str]:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    values, version, hits = out.strip().rsplit(" ", 2)
    return values, version, hits


def test_built_and_called(kernel_folder: Path) -> None:
    kernel = build("trial", TEXT)
    assert doubled(kernel) == [0.0, 2.0, 4.0, 6.0]
    assert (kernel.name, kernel.version) == ("trial", kernel_version(TEXT))
    with pytest.raises(AttributeError, match="treble"):
        _ = kernel.treble


def test_the_same_text_is_the_same_object_and_another_is_not(kernel_folder: Path) -> None:
    kernel = build("trial", TEXT)
    assert build("trial", TEXT) is kernel
    other = build("trial", TEXT.replace("2.0", "3.0"))
    assert other is not kernel
    assert other.version != kernel.version
    assert doubled(other) == [0.0, 3.0, 6.0, 9.0]
    assert doubled(kernel) == [0.0, 2.0, 4.0, 6.0]


def test_a_version_is_16_hex_digits_of_text_and_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    version = kernel_version(TEXT)
    assert version == kernel_version(TEXT)
    assert len(version) == 16
    assert int(version, 16) >= 0
    assert kernel_version(TEXT + " ") != version
    monkeypatch.setattr(building, "_machine", lambda: "another machine")
    assert kernel_version(TEXT) != version


def test_the_machine_is_named_by_all_that_decides_the_code() -> None:
    facts = building._machine()
    assert sys.version in eval(facts)[-1][1]
    names = [name for name, _ in eval(facts)]
    if jit_disabled():
        assert names == ["header", "python"]
    else:
        assert names == ["compiled", "cpu", "features", "header", "llvmlite", "numba", "python"]


def test_the_cache_folder_is_the_one_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CANDLEWICK_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    for nothing in ("", None):
        if nothing is None:
            monkeypatch.delenv("CANDLEWICK_CACHE")
        else:
            monkeypatch.setenv("CANDLEWICK_CACHE", nothing)
        assert cache_folder().name == "candlewick"
        assert cache_folder().is_absolute()


@pytest.mark.parametrize(("value", "disabled"), [("1", True), ("0", False), ("", False), (None, False)])
def test_jit_disabled_as_numba_reads_it(value: str | None, disabled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    if value is not None:
        monkeypatch.setenv("NUMBA_DISABLE_JIT", value)
    assert jit_disabled() is disabled


def test_files_are_kept_under_name_mode_and_version(kernel_folder: Path) -> None:
    kernel = build("trial", TEXT)
    mode = "plain" if jit_disabled() else "compiled"
    files = sorted(kernel_folder.rglob("*.py"))
    assert [file.name for file in files] == [f"trial_{mode}_{kernel.version}.py"]
    assert TEXT in files[0].read_text()
    assert list(kernel_folder.rglob("*.part")) == []


@compiled_only
def test_built_before_once_the_machine_code_is_on_disk(kernel_folder: Path) -> None:
    assert not built_before("trial", TEXT)
    build("trial", TEXT, plain=True)
    assert not built_before("trial", TEXT)
    build("trial", TEXT)
    assert built_before("trial", TEXT)
    assert not built_before("trial", TEXT + "\n")
    assert not built_before("other", TEXT)


def test_nothing_is_to_be_compiled_when_jit_is_disabled(kernel_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert built_before("trial", TEXT)
    assert doubled(build("trial", TEXT)) == [0.0, 2.0, 4.0, 6.0]
    assert "plain" in next(kernel_folder.rglob("*.py")).name


@pytest.mark.parametrize("left", [b"", b"def double(", b"\xff\xfe broken"])
def test_a_damaged_file_is_written_again(kernel_folder: Path, left: bytes) -> None:
    build("trial", TEXT)
    file = next(kernel_folder.rglob("trial_*.py"))
    whole = file.read_bytes()
    file.write_bytes(left)
    building._built.cache_clear()
    assert doubled(build("trial", TEXT)) == [0.0, 2.0, 4.0, 6.0]
    assert file.read_bytes() == whole


@compiled_only
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("size", [0, 40])
def test_damaged_machine_code_is_compiled_again(kernel_folder: Path, suffix: str, size: int) -> None:
    build("trial", TEXT)
    file = next(kernel_folder.rglob(f"*.{suffix}"))
    whole = file.stat().st_size
    os.truncate(file, size)
    building._built.cache_clear()
    assert doubled(build("trial", TEXT)) == [0.0, 2.0, 4.0, 6.0]
    assert file.stat().st_size == whole


@pytest.mark.parametrize("error", ["EOFError", "KeyboardInterrupt"])
def test_an_error_of_the_text_itself_comes_through(kernel_folder: Path, error: str) -> None:
    with pytest.raises((EOFError, KeyboardInterrupt)):
        build("trial", f"raise {error}", plain=True)


@pytest.mark.parametrize("text", ["def (", "raise RuntimeError('no')"])
def test_a_text_that_fails_leaves_nothing_that_is_taken_for_a_kernel(kernel_folder: Path, text: str) -> None:
    for _ in range(2):
        with pytest.raises((SyntaxError, RuntimeError)):
            build("trial", text, plain=True)
    assert not list(kernel_folder.rglob("*.ready"))
    assert not [
        name for name in sys.modules if name.startswith("candlewick_kernel_trial_") and kernel_version(text) in name
    ]


def test_a_folder_that_cannot_be_written_is_replaced_by_a_temporary_one(
    kernel_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    occupied = tmp_path / "a file"
    occupied.write_text("not a folder")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("CANDLEWICK_CACHE", str(occupied))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert doubled(build("trial", TEXT, plain=True)) == [0.0, 2.0, 4.0, 6.0]
    assert occupied.read_text() == "not a folder"
    assert [file.parent.parent for file in temporary.rglob("trial_*.py")] == [temporary]


def test_the_temporary_folder_ends_with_the_process(tmp_path: Path) -> None:
    occupied = tmp_path / "a file"
    occupied.write_text("")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "CANDLEWICK_CACHE": str(occupied), "TMPDIR": str(temporary), "NUMBA_DISABLE_JIT": "1"}
    subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, TEXT], check=True, env=environment, stdout=subprocess.PIPE
    )
    assert list(temporary.iterdir()) == []


def test_many_threads_get_one_object(kernel_folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        kernels = list(pool.map(lambda _: build("trial", TEXT), range(16)))
    assert len({id(kernel) for kernel in kernels}) == 1
    assert doubled(kernels[0]) == [0.0, 2.0, 4.0, 6.0]


@pytest.mark.untraced
def test_many_processes_leave_one_good_file(tmp_path: Path) -> None:
    found = [finished(process) for process in [start(tmp_path) for _ in range(3)]]
    assert {values for values, _, _ in found} == {"[0.0, 2.0, 4.0, 6.0]"}
    assert len({version for _, version, _ in found}) == 1
    assert len(list(tmp_path.rglob("trial_*.py"))) == 1
    assert list(tmp_path.rglob("*.part")) == []
    later = finished(start(tmp_path))
    assert later[:2] == found[0][:2]
    assert later[2] == ("plain" if jit_disabled() else "1")  # machine code taken from disk, whoever wrote last


def test_a_cache_that_cannot_be_written_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("CANDLEWICK_CACHE", str(tmp_path / "file"))
    folder = building._folder.__wrapped__()
    assert folder.is_dir()
    assert folder.name.startswith("candlewick-kernels-")


def test_a_kernel_that_cannot_be_found_is_an_import_error(kernel_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.spec_from_file_location", lambda *_: None)
    with pytest.raises(ImportError, match="cannot be imported"):
        build("trial", TEXT, plain=True)

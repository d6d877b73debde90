"""Kernels: what their text may hold, how they are kept, and that the plain form is the compiled one."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from math import nan, sqrt
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest

from candlewick.kernels import build as build_kernel
from candlewick.kernels import built_before, cache_folder, emit, kernel_version
from candlewick.kernels.build import _folder, jit_disabled

pytestmark = pytest.mark.kernel

SCALE = 3
SHARE = np.float64(0.5)
LIST = [1]


def scaled(x: float) -> float:
    return SCALE * x


def half_root(x: float) -> float:
    if x < 0.0:
        return nan
    return sqrt(scaled(x)) * SHARE


def uses_a_list(x: float) -> float:
    return x + len(LIST)


def calls_itself(x: float) -> float:
    return calls_itself(x)


def with_default(x: float = 1.0) -> float:
    return x


def text_of(function: FunctionType | Callable[..., Any]) -> str:
    return f"""{emit(function)}

@entry("void(float64[::1], float64[::1])")
def apply(values, out):
    source = address(values)
    target = address(out)
    for i in range(values.size):
        target[i] = {function.__name__}(source[i])
"""


def test_emit_takes_what_a_function_uses_before_it() -> None:
    text = emit(half_root)
    assert text.index("SCALE = 3") < text.index("def scaled") < text.index("def half_root")
    assert "SHARE = 0.5" in text
    assert "sqrt =" not in text
    assert emit(half_root, half_root) == text


@functools.wraps(scaled)
def wrapped(x: float) -> float:
    return x


def inner_function(x: float) -> float:
    return (lambda y: y)(x)


def make_closure(y: float) -> Callable[[float], float]:
    def closed(x: float) -> float:
        return x + y

    return closed


ANOTHER_NAME = scaled


def uses_another_name(x: float) -> float:
    return ANOTHER_NAME(x)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (uses_a_list, "uses LIST, which is neither a number nor a plain function"),
        (calls_itself, "calls itself"),
        (with_default, "has a closure, a default or a function inside"),
        (make_closure(1.0), "has a closure, a default or a function inside"),
        (inner_function, "has a closure, a default or a function inside"),
        (lambda x: x, "lambda or has a decorator"),
        (wrapped, "is not a plain function"),
        (len, "is not a plain function"),
        (uses_another_name, "uses ANOTHER_NAME"),
    ],
)
def test_emit_refuses_what_means_something_else_elsewhere(function: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        emit(function)


def test_two_things_of_one_name_are_refused() -> None:
    other = FunctionType(scaled.__code__, {**globals(), "SCALE": 4})
    with pytest.raises(TypeError, match="two different things are called SCALE"):
        emit(scaled, other)


def test_plain_and_compiled_give_the_same_bits() -> None:
    values = np.array([0.0, 2.0, 1e-300, 1e300, -1.0, 0.1])
    compiled, plain = np.empty(6), np.empty(6)
    build_kernel("test", text_of(half_root)).apply(values, compiled)
    build_kernel("test", text_of(half_root), plain=True).apply(values, plain)
    assert np.array_equal(compiled[:4].view(np.int64), plain[:4].view(np.int64))
    assert np.isnan(compiled[4])
    assert np.isnan(plain[4])
    assert plain[1] == sqrt(6.0) * 0.5


def test_one_text_is_one_kernel_and_another_text_another() -> None:
    first = build_kernel("test", text_of(half_root))
    assert build_kernel("test", text_of(half_root)) is first
    assert first.version == kernel_version(text_of(half_root))
    assert kernel_version(text_of(scaled)) != first.version
    assert built_before("test", text_of(half_root))
    assert built_before("test", "never built") is jit_disabled()


def test_a_plain_kernel_calls_the_function_where_it_was_written() -> None:
    kernel = build_kernel("test", text_of(half_root), plain=True)
    found = kernel.module.half_root
    assert found.__code__ is half_root.__code__ if __name__ in sys.modules else found is not None


def test_threads_that_want_the_same_kernel_get_one() -> None:
    found: list[object] = []
    text = text_of(scaled) + f"\n# {os.getpid()} threads\n"
    threads = [threading.Thread(target=lambda: found.append(build_kernel("test", text))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(kernel) for kernel in found}) == 1


BUILD_IN_A_PROCESS = """
import sys
import numpy as np
from candlewick.kernels import build, cache_folder
from candlewick.kernels.build import _folder
text = '@inline\\ndef twice(x):\\n    return 2.0 * x\\n\\n@entry("void(float64[::1])")\\n'
text += 'def apply(values):\\n    p = address(values)\\n'
text += '    for i in range(values.size):\\n        p[i] = twice(p[i])\\n'
values = np.array([1.5, 2.0])
build('test', text).apply(values)
print(values.tolist(), _folder())
"""


def run_build(cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "CANDLEWICK_CACHE": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", BUILD_IN_A_PROCESS],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_that_build_the_same_kernel_leave_one_good_file(tmp_path: Path) -> None:
    processes = [run_build(tmp_path) for _ in range(3)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert all(out.startswith("[3.0, 4.0]") for out, _ in outputs)
    assert len(list(tmp_path.glob("kernels/*/test_*.py"))) == 1
    assert not list(tmp_path.glob("kernels/*/*.part"))


def test_a_file_that_a_crash_left_short_is_written_again(tmp_path: Path) -> None:
    assert run_build(tmp_path).communicate(timeout=120)[0].startswith("[3.0, 4.0]")
    (file,) = tmp_path.glob("kernels/*/test_*.py")
    whole = file.read_text()
    file.write_text(whole[: len(whole) // 2])
    assert run_build(tmp_path).communicate(timeout=120)[0].startswith("[3.0, 4.0]")
    assert file.read_text() == whole


def test_where_the_cache_cannot_be_written_a_private_folder_serves(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    out, error = run_build(blocked).communicate(timeout=120)
    assert out.startswith("[3.0, 4.0]"), error
    private = Path(out.split("] ", 1)[1].strip())
    assert private.name.startswith("candlewick-kernels-")
    assert not private.exists()


def test_the_private_folder_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("CANDLEWICK_CACHE", str(blocked))
    assert _folder.__wrapped__().name.startswith("candlewick-kernels-")


def test_the_cache_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLEWICK_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("CANDLEWICK_CACHE")
    assert "candlewick" in str(cache_folder())

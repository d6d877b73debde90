"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"

settings.register_profile(
    "default",
    deadline=None,
    # A find belongs to whoever is at work, not to the next change that is integrated: there always the same examples.
    derandomize=bool(os.environ.get("CI")),
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("deep", parent=settings.get_profile("default"), max_examples=300)  # make test-slow
settings.register_profile("plain", parent=settings.get_profile("default"), max_examples=10)
PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"
settings.load_profile("plain" if PLAIN else "default")


def pytest_configure(config: pytest.Config) -> None:
    """The process that only hands tests to workers runs nothing to be covered."""
    if (handing_out := Coverage.current()) and getattr(config.option, "dist", "no") != "no":
        handing_out.stop()


def untraced(item: pytest.Item) -> bool:
    """True where coverage, which doubles the time, has nothing to add that the gates may count on: in trials of the
    whole, whose code has tests beside it that are traced; in compiled runs of what is traced when it runs plain; and
    where real candles are needed, which are not everywhere."""
    if item.get_closest_marker("untraced") or "shared_data" in getattr(item, "fixturenames", ()):
        return True
    return not PLAIN and item.get_closest_marker("kernel") is not None and item.get_closest_marker("traced") is None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    tracing = Coverage.current()
    if tracing is None or not untraced(item):
        return (yield)
    tracing.stop()
    told = os.environ.pop("COVERAGE_PROCESS_CONFIG", None)  # or its processes would be traced
    try:
        return (yield)
    finally:
        if told is not None:
            os.environ["COVERAGE_PROCESS_CONFIG"] = told
        tracing.start()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real candles and golden values beside the project; tests that need it skip without it."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/data")
    return SHARED

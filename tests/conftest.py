"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
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
settings.load_profile("plain" if os.environ.get("NUMBA_DISABLE_JIT") == "1" else "default")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real candles and golden values beside the project; tests that need it skip without it."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/data")
    return SHARED

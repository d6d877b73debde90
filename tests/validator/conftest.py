"""A small store and small loads: each check measures for real, in a second or a few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.validator.context import Context, temporary_context
from candlewick.validator.profile import QUICK, Profile

SMALL = replace(
    QUICK,
    name="small",
    answers=18,
    mix_minutes=6,
    mix_symbols=3,
    pairs=5,
    rounds=1,
    memory_symbols=2,
    memory_sessions=20,
    memory_repeats=1,
    leak_requests=2_000,
    threads=4,
    seconds=0.4,
    scrape=6,
    rate=150.0,
    rollback_seconds=60.0,
    well_seconds=0.5,
)

Make = Callable[..., Context]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """No settings of this machine."""
    import os

    for variable in list(os.environ):
        if variable.startswith("CANDLEWICK_") and variable != "CANDLEWICK_CACHE":
            monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store() -> Iterator[CandleRepository]:
    """Three sessions of one symbol."""
    with open_store("memory:") as opened:
        opened.upsert_many(list(simulate(["AAA"], "XNYS", 3, 5)))
        yield opened


@pytest.fixture
def small() -> Profile:
    return SMALL


@pytest.fixture
def context(store: CandleRepository) -> Iterator[Make]:
    """A maker of contexts over the small store: ``context(build=..., serve=..., seconds=...)``."""
    with ExitStack() as stack:

        def make(*, over: CandleRepository | None = None, build: str = "", serve: str = "", **sizes: Any) -> Context:
            faults = {
                name: f"candlewick.testing.faults:{path}" for name, path in (("build", build), ("serve", serve)) if path
            }
            return stack.enter_context(temporary_context(over or store, replace(SMALL, **sizes), **faults))

        yield make

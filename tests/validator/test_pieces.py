"""The small parts: factories, profiles, requests, tasks, contexts, engines that pass on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from candlewick.errors import EngineError, InputError, ServiceError, UnknownNameError, UnknownSeriesError
from candlewick.indicators import REGISTRY
from candlewick.service.answer import Answer
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.validator import context as validator_context
from candlewick.validator import temporary_server
from candlewick.validator.broken import Breakable
from candlewick.validator.context import Context
from candlewick.validator.factory import find_factory
from candlewick.validator.passing import Passing
from candlewick.validator.profile import FULL, PROFILES, QUICK, RELEASE, find_profile
from candlewick.validator.requests import chosen, own_requests, timeframes_of
from candlewick.validator.tasks import Tasks

Make = Callable[..., Context]


def no_server(_: Any) -> Any:
    """An app that ends the server before it started."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "no"})

    return app


def test_a_factory_is_found_by_its_text() -> None:
    assert find_factory("candlewick.store.open:open_store") is open_store


@pytest.mark.parametrize(
    "path",
    [
        "",
        ":",
        "candlewick.store.open",
        "no.such.module:build",
        "candlewick.errors:none",
        "candlewick.version:__version__",
    ],
)
def test_what_is_no_factory(path: str) -> None:
    with pytest.raises(InputError, match="give module:function"):
        find_factory(path)


def test_profiles_by_name_and_their_promises() -> None:
    assert [find_profile(name) for name in PROFILES] == [QUICK, FULL, RELEASE]
    assert (QUICK.leak_requests, QUICK.leak_bytes) == (20_000, 500.0)
    assert (FULL.leak_requests, FULL.leak_bytes) == (100_000, 50.0)
    assert [one.coverage for one in (QUICK, FULL, RELEASE)] == [False, False, True]
    assert {one.mix_symbols for one in PROFILES.values()} == {200}
    assert {one.memory_repeats for one in PROFILES.values()} == {3}
    assert FULL.mix_minutes == 390
    with pytest.raises(UnknownNameError, match="quick"):
        find_profile("quik")


def test_requests_cover_every_indicator_and_timeframe(store: CandleRepository) -> None:
    (series,) = store.series()
    requests = own_requests([series])
    assert {indicator.kind for request in requests for indicator in request.indicators} == set(REGISTRY)
    assert [str(one) for one in timeframes_of(series)] == ["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1mo"]
    assert len(set(requests)) == len(requests) == 9 * 3 * 2


def test_some_requests_are_spread_over_all(store: CandleRepository) -> None:
    requests = own_requests(store.series())
    few = chosen(requests, 9)
    assert len(few) == 9
    assert len({request.timeframe for request in few}) == 9
    assert chosen(requests, 1_000) == requests


def test_tasks_remember_what_was_missed() -> None:
    tasks = Tasks()
    assert tasks.expect(True, "fine")
    assert not tasks.expect(False, "a cat", "a dog")
    assert not tasks.expect(False, "a tree")
    assert (tasks.done, tasks.missed) == (3, ["a cat: found a dog", "a tree"])
    assert tasks.reason() == "2 of 3 expectations missed, the first: a cat: found a dog"


def test_a_context_has_files_of_its_own_and_one_snapshot(context: Make) -> None:
    here = context()
    assert here.file("x") != here.file("x")
    assert here.snapshot is here.snapshot
    folder = here.folder
    assert folder.is_dir()
    assert here.source is not None
    assert (here.source / "scripts" / "test").is_file()


def test_an_application_over_a_snapshot_has_a_journal_that_can_be_read(context: Make) -> None:
    here = context()
    control = here.file("control.sqlite")
    with here.application(here.snapshot.url, control) as built:
        built.set_flag("rollout_percentage", 5.0, "tester", "because")
    assert [(one.name, one.who) for one in here.journalled(control) if one.what == "set"] == [
        ("rollout_percentage", "tester")
    ]


def test_a_server_that_does_not_start_is_an_error(context: Make) -> None:
    here = context()
    with (
        here.application(here.snapshot.url) as built,
        pytest.raises(ServiceError, match="did not start"),
        temporary_server.served(built, f"{__name__}:no_server"),
    ):
        pass


def test_passing_on_gives_what_the_engine_gives(store: CandleRepository) -> None:
    asked = [Request.of("AAA", "5m", "sma(9)"), Request.of("ZZZ", "5m")]
    with Passing(OptimizedService(store)) as service:
        answer, error = service.candles_many(asked, deadline=30.0)
        assert isinstance(answer, Answer)
        assert isinstance(error, UnknownSeriesError)
        assert service.candles(asked[0]).fingerprint == answer.fingerprint
        assert service.symbols() == store.series()


def test_what_goes_beyond_the_contract_is_passed_on_too(store: CandleRepository) -> None:
    with Passing(OptimizedService(store)) as service:
        assert service.cache.stats().misses == 0
        with pytest.raises(AttributeError):
            _ = service.no_such_thing
    with pytest.raises(AttributeError):
        _ = object.__new__(Passing).inner


def test_a_breakable_engine_breaks_when_told(store: CandleRepository) -> None:
    asked = Request.of("AAA", "5m")
    with Breakable(OptimizedService(store)) as engine:
        answer = engine.candles(asked)
        assert engine.cached(asked) is not None
        assert len(engine.candles_many([asked])) == 1
        assert engine.failed == 0
        engine.broken.set()
        assert engine.cached(asked) is None
        for call in (lambda: engine.candles(asked), lambda: engine.candles_many([asked])):
            with pytest.raises(EngineError, match="made to fail"):
                call()
        assert engine.failed == 2
        engine.broken.clear()
        assert engine.candles(asked).fingerprint == answer.fingerprint


def test_an_installed_package_has_no_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, context: Make) -> None:
    installed = tmp_path / "lib" / "site-packages" / "candlewick" / "validator" / "context.py"
    monkeypatch.setattr(validator_context, "__file__", str(installed))
    assert context().source is None


def test_the_classic_engine_needs_no_more_than_the_contract(store: CandleRepository) -> None:
    with Passing(ClassicService(store)) as service:
        assert service.cached(Request.of("AAA", "5m")) is None

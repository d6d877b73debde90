"""The application: what is routed, what falls back, what rolls back, and what a change of a flag does at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from candlewick.app import WARM, Application, build
from candlewick.delivery.journal import ControlJournal
from candlewick.engine.catalogue import resolve
from candlewick.errors import EngineError, InputError, KilledError, UnknownNameError, UnknownSeriesError
from candlewick.indicators import REGISTRY
from candlewick.service.answer import Answer
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.sources.simulated import simulate
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository
from candlewick.validator.passing import Passing

SYMBOLS = tuple(f"S{k:02d}" for k in range(40))
ASKED = Request.of("S00", "5m", "sma(9),bollinger(20,2)")


class Unwell(Passing):
    """An engine with a fault that can be switched on: raises, hangs, or gives wrong numbers."""

    def __init__(self, inner: AnalyticsService, engine: str = "optimized") -> None:
        super().__init__(inner)
        self.engine = engine  # type: ignore[misc]
        self.fault = ""
        self.release = threading.Event()

    def candles(self, request: Request) -> Answer:
        if self.fault == "raises":
            raise RuntimeError("on purpose")
        if self.fault == "hangs":
            self.release.wait(20)
        answer = super().candles(request)
        if self.fault != "wrong":
            return answer
        columns = {name: np.asarray(values) * 1.001 for name, values in answer.indicators.items()}
        return replace(answer, indicators=columns, _encoded={})

    def cached(self, request: Request) -> Answer | None:
        return None if self.fault else super().cached(request)


@pytest.fixture(scope="module")
def filled() -> CandleRepository:
    store = MemoryStore()
    store.upsert_many(list(simulate(SYMBOLS, "XNYS", 1, seed=5)))
    return store


@pytest.fixture
def made(filled: CandleRepository, tmp_path: Path) -> Iterator[Callable[..., Application]]:
    """Applications over the filled store, with a journal on disk, closed at the end."""
    opened: list[Application] = []

    def make(journal: str = "control.sqlite", **engines: Any) -> Application:
        opened.append(build(filled, tmp_path / journal, **engines))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def until(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether it becomes true in that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return true()


def expose(application: Application, percentage: float = 100.0) -> None:
    application.set_flag("rollout_percentage", percentage, "tests", "a trial")


def test_it_starts_on_the_classic_engine(made: Callable[..., Application]) -> None:
    application = made()
    served = application.candles(ASKED)
    assert (served.answer.engine, served.arm, served.fallback) == ("classic", "classic", False)
    assert application.rollout_status()["percentage"] == 0.0
    assert application.quick(ASKED) is None


def test_the_rollout_sends_keys_to_the_optimized_engine_and_keeps_them(made: Callable[..., Application]) -> None:
    application = made()
    requests = [replace(ASKED, symbol=symbol) for symbol in SYMBOLS]
    expose(application, 50)
    half = {one.symbol for one in requests if application.candles(one).arm == "optimized"}
    assert 0 < len(half) < len(SYMBOLS)
    assert half == {one.symbol for one in requests if application.candles(one).arm == "optimized"}
    expose(application, 80)
    assert half <= {one.symbol for one in requests if application.candles(one).arm == "optimized"}


def test_a_client_is_a_key_of_its_own(made: Callable[..., Application]) -> None:
    application = made()
    expose(application, 50)
    arms = {client: application.candles(ASKED, client=client).arm for client in map(str, range(40))}
    assert set(arms.values()) == {"classic", "optimized"}
    assert arms == {client: application.candles(ASKED, client=client).arm for client in arms}


def test_an_answer_that_is_known_is_given_at_once_and_counted(made: Callable[..., Application]) -> None:
    application = made()
    expose(application)
    assert application.quick(ASKED) is None
    first = application.candles(ASKED)
    again = application.quick(ASKED)
    assert again is not None
    assert (again.arm, again.answer.cache, again.answer.engine) == ("optimized", "hit", "optimized")
    assert again.answer.fingerprint == first.answer.fingerprint
    assert application.rollout_status()["arms"]["optimized"]["requests"] == 2
    assert application.quick(ASKED, engine="classic") is None
    explicit = application.quick(ASKED, engine="optimized")
    assert explicit is not None
    assert explicit.arm == "explicit"


@pytest.mark.parametrize("engine", ["classic", "optimized"])
def test_an_explicit_engine_counts_in_no_arm(made: Callable[..., Application], engine: str) -> None:
    application = made()
    served = application.candles(ASKED, engine=engine)
    assert (served.arm, served.answer.engine) == ("explicit", engine)
    assert all(not arm["requests"] for arm in application.rollout_status()["arms"].values())
    with pytest.raises(UnknownNameError, match="v3"):
        application.candles(ASKED, engine="v3")


def test_an_error_of_the_optimized_engine_is_answered_by_the_classic_one_and_counted(
    made: Callable[..., Application], filled: CandleRepository
) -> None:
    unwell = Unwell(OptimizedService(filled))
    application = made(optimized=unwell)
    expose(application)
    unwell.fault = "raises"
    served = application.candles(ASKED)
    assert (served.answer.engine, served.arm, served.fallback) == ("classic", "optimized", True)
    arm = application.rollout_status()["arms"]["optimized"]
    assert (arm["requests"], arm["fallbacks"], arm["errors"]) == (1, 1, {"RuntimeError": 1})
    with pytest.raises(EngineError, match="on purpose"):
        application.candles(ASKED, engine="optimized")
    application.set_flag("fallback_to_v1_on_error", False, "tests", "see the error")
    with pytest.raises(EngineError, match="on purpose"):
        application.candles(ASKED)
    text = application.monitor.render().decode()
    assert 'candlewick_request_fallbacks_total{arm="optimized",engine="optimized"} 1.0' in text


def test_an_overrun_is_a_failure_that_the_classic_engine_answers(
    made: Callable[..., Application], filled: CandleRepository
) -> None:
    unwell = Unwell(OptimizedService(filled))
    application = made(optimized=unwell)
    expose(application)
    application.set_flag("v2_deadline_ms", 30, "tests", "no patience")
    unwell.fault = "hangs"
    served = application.candles(ASKED)
    unwell.release.set()
    assert (served.answer.engine, served.fallback) == ("classic", True)
    assert application.rollout_status()["arms"]["optimized"]["errors"] == {"DeadlineError": 1}


def test_the_callers_own_mistake_is_nobodys_failure(made: Callable[..., Application]) -> None:
    application = made()
    expose(application)
    with pytest.raises(UnknownSeriesError):
        application.candles(replace(ASKED, symbol="S99"))
    with pytest.raises(InputError, match="limit"):
        application.candles(replace(ASKED, limit=1))
    status = application.rollout_status()
    assert status["arms"]["optimized"]["errors"] == {}
    assert status["guards"]["failure"]["incidents"] == 0


@pytest.mark.parametrize("fault", ["raises", "wrong"])
def test_a_bad_engine_is_rolled_back_with_evidence_and_a_restart_keeps_it(
    made: Callable[..., Application], filled: CandleRepository, tmp_path: Path, fault: str
) -> None:
    unwell = Unwell(OptimizedService(filled))
    application = made(optimized=unwell)
    expose(application)
    unwell.fault = fault
    requests = [replace(ASKED, symbol=symbol) for symbol in SYMBOLS]

    def ask() -> bool:
        for request in requests:
            application.candles(request)
        return application.control.current.killed

    assert until(ask)
    assert application.candles(ASKED).arm == "classic"
    assert application.rollout_status()["percentage"] == 0.0
    with pytest.raises(KilledError):
        application.candles(ASKED, engine="optimized")
    with pytest.raises(KilledError, match="clear"):
        expose(application, 1)
    with ControlJournal(tmp_path / "control.sqlite") as journal:
        kill = next(one for one in journal.entries() if one.what == "kill")
    assert kill.evidence["guard"] == ("failure" if fault == "raises" else "mismatch")
    application.close()
    restarted = made()
    assert restarted.rollout_status()["killed"]
    assert restarted.candles(ASKED).arm == "classic"
    restarted.clear("tests", "mended")
    expose(restarted, 100)
    assert restarted.candles(ASKED).arm == "optimized"


def test_what_fails_on_both_engines_rolls_nothing_back(
    made: Callable[..., Application], filled: CandleRepository
) -> None:
    both = Unwell(ClassicService(filled), "classic"), Unwell(OptimizedService(filled))
    application = made(classic=both[0], optimized=both[1])
    expose(application)
    both[0].fault = both[1].fault = "raises"
    for request in [replace(ASKED, symbol=symbol) for symbol in SYMBOLS]:
        with pytest.raises(EngineError):
            application.candles(request)
    assert application.shadow.drain(20)
    time.sleep(0.3)  # the controller's pulse
    assert not application.control.current.killed
    assert application.rollout_status()["guards"]["failure"]["incidents"] == 0


def test_a_healthy_engine_stays_and_its_answers_are_compared(made: Callable[..., Application]) -> None:
    application = made()
    expose(application)
    for request in [replace(ASKED, symbol=symbol) for symbol in SYMBOLS]:
        application.candles(request)
    assert application.shadow.drain(20)
    assert until(lambda: application.rollout_status()["guards"]["pairs"] > 0)
    status = application.rollout_status()
    assert not status["killed"]
    assert status["guards"]["mismatch"]["incidents"] == 0
    assert application.shadow.stats().broken == 0


def test_many_requests_keep_their_order_and_each_its_error(made: Callable[..., Application]) -> None:
    application = made()
    expose(application, 50)
    symbols = [*SYMBOLS[:5], "none", *SYMBOLS[5:9]]
    for enabled in (True, False):
        application.set_flag("concurrency_enabled", enabled, "tests", "both ways")
        found = application.candles_many([replace(ASKED, symbol=symbol) for symbol in symbols])
        assert isinstance(found[5], UnknownSeriesError)
        answered = [one.answer.bars.symbol for one in found if not isinstance(one, Exception)]
        assert answered == [*symbols[:5], *symbols[6:]]


def test_switches_take_hold_at_run_time(made: Callable[..., Application]) -> None:
    application = made()
    expose(application)
    application.candles(ASKED)
    assert application.candles(ASKED).answer.cache == "hit"
    application.set_flag("cache_enabled", False, "tests", "without")
    assert application.candles(ASKED).answer.cache == "none"
    assert application.monitor.figures()["cache"]["bytes"] == 0  # type: ignore[index]
    application.set_flag("detailed_metrics", False, "tests", "fewer")
    assert b"candlewick_request_seconds_bucket" not in application.monitor.render()
    application.set_flag("worker_pool_size", 3, "tests", "more")
    assert application.monitor.figures()["pool"]["workers"] == 3  # type: ignore[index]


def test_bars_are_final_once_their_end_and_the_grace_are_over(tmp_path: Path) -> None:
    class Standing:
        now = 0

        def wall(self) -> int:
            return self.now

        def monotonic(self) -> float:
            return time.monotonic()

    clock = Standing()
    store = MemoryStore()
    store.upsert_many(list(simulate(["A"], "XNYS", 1, seed=5)))
    last = store.find("A", "1m").last
    with build(store, tmp_path / "control.sqlite", clock=clock) as application:
        for engine in ("classic", "optimized"):
            asked = Request.of("A", "5m")
            clock.now = last + 60_000_000 + 1_999_999
            assert not application.candles(asked, engine).answer.bars.final[-1]
            clock.now += 1
            assert application.candles(asked, engine).answer.bars.final[-1]


def test_health_says_what_is_missing(made: Callable[..., Application]) -> None:
    application = made()
    assert application.health().reasons == ("warm_up: kernels are being compiled",)
    application.warm_up()
    assert application.health().ready


def test_every_kind_is_compiled_ahead() -> None:
    alone = {indicator.kind for specs in WARM for indicator in resolve(specs) if len(resolve(specs)) == 1}
    assert alone == set(REGISTRY)


def test_a_file_goes_in_and_comes_out(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("time,open,high,low,close,volume\n2024-01-02T14:30:00Z,1,2,1,2,5\n2024-01-02T14:31:00Z,2,1,1,2,5\n")
    with build(f"duckdb:///{tmp_path}/x.duckdb") as application:
        summary = application.ingest(file, calendar="XNYS", timeframe="1m", symbol="A", name="desk.csv")
        assert (summary.inserted, summary.quarantined) == (1, 1)
        assert [one.symbol for one in application.symbols()] == ["A"]
        assert application.store.quarantined()[0].file == "desk.csv"
        assert application.staging is not None
        assert (tmp_path / "x.duckdb.control.sqlite").exists()
    application.close()


def test_a_journal_of_no_use_lets_go_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb.control.sqlite").write_text("no journal")
    with pytest.raises(InputError):
        build(f"duckdb:///{tmp_path}/x.duckdb")
    (tmp_path / "x.duckdb.control.sqlite").unlink()
    with build(f"duckdb:///{tmp_path}/x.duckdb") as application:
        assert application.url == f"duckdb:///{tmp_path}/x.duckdb"


def test_listeners_are_told_what_was_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "a.csv"
    file.write_text("time,open,high,low,close,volume\n2024-01-02T14:30:00Z,1,2,1,2,5\n")
    told: list[Any] = []

    def failing(_: Any) -> None:
        raise RuntimeError("on purpose")

    with build(MemoryStore(), tmp_path / "control.sqlite") as application:
        application.listen(failing)
        stop = application.listen(lambda symbols: told.append((list(symbols), application.series_of("A")[0].revision)))
        for _ in range(2):
            application.ingest(file, calendar="XNYS", timeframe="1m", symbol="A")
        stop()
        application.ingest(file, calendar="XNYS", timeframe="1m", symbol="B")
        series = application.series_of("A")[0]
        assert application.first_changed("A", series.timeframe, 0) is not None
        assert application.first_changed("A", series.timeframe, series.revision) is None
    assert told == [(["A"], 1)]
    assert "a listener failed after a write to A" in caplog.text

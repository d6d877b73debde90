"""The optimized engine: answers given at once, one computation at a time, switches that switch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from candlewick import Candles
from candlewick.cache import reading, series_view
from candlewick.candles import VALUES
from candlewick.engine.query import query
from candlewick.errors import (
    CandlewickError,
    DeadlineError,
    EngineError,
    InputError,
    LimitError,
    StoreError,
    UnknownSeriesError,
)
from candlewick.service import optimized
from candlewick.service.answer import Answer
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.sessions import find_calendar
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository, Snapshot
from candlewick.testing.failing_repository import FailingRepository
from candlewick.testing.service_market import corrected, days_of, market, same
from candlewick.timeframe import MINUTE

DESK = Request.of("SIM", "5m", "desk")


class Watching(FailingRepository):
    """Counts calls, and does something first when a snapshot is taken."""

    def __init__(self, store: CandleRepository, first: Callable[[], object] = lambda: None) -> None:
        super().__init__(store, method="", error=StoreError("none"))
        self.first = first

    def snapshot(self, *range_: Any) -> Snapshot:
        self.first()
        return super().snapshot(*range_)


@pytest.fixture
def store() -> MemoryStore:
    """Three sessions, and the first hour of a fourth."""
    opened = MemoryStore()
    *past, today = days_of(market())
    for day in past:
        opened.upsert(day)
    opened.upsert(today.rows(0, 60))
    return opened


@pytest.fixture
def service(store: MemoryStore) -> Iterator[OptimizedService]:
    with OptimizedService(store) as made:
        yield made


def equals_rebuild(answer: Answer, store: CandleRepository, request: Request, **given: Any) -> bool:
    expected = query(store, request.symbol, request.timeframe, list(request.indicators) or None, **given)
    return answer.bars == expected.bars and all(
        np.array_equal(values, (expected.indicators or {})[name], equal_nan=True)
        for name, values in answer.indicators.items()
    )


# ---- at once


def test_the_same_question_gets_the_same_answer_with_its_bytes(store: MemoryStore) -> None:
    watching = Watching(store)
    with OptimizedService(watching) as service:
        assert service.cached(DESK) is None
        first = service.candles(DESK)
        text = first.json()
        watching.calls.clear()
        again = service.cached(DESK)
        assert again is not None
        assert again.json() is text
        assert service.candles(Request.of("SIM", "5m", "desk")) is again
        assert dict(watching.calls) == {"series_of": 2}
        assert (first.cache, again.cache) == ("miss", "hit")
        assert (first.fingerprint, first.revision) == (again.fingerprint, again.revision)
        assert same(first, again)
        stats = service.stats().cache
        assert (stats.hits, stats.extensions, stats.misses) == (2, 0, 1)


def test_history_keeps_its_answer_while_today_grows(store: MemoryStore, service: OptimizedService) -> None:
    today = days_of(market())[-1]
    history = Request.of("SIM", "5m", "desk", start="2024-01-03", end="2024-01-05")
    growing = Request.of("SIM", "5m", "desk", start="2024-01-03")
    kept = service.candles(history)
    service.candles(growing)
    text = kept.json()
    for row in range(60, 70):
        store.upsert(today.rows(row, row + 1))
        at_once = service.cached(history)
        assert at_once is not None
        assert at_once.json() is text
        assert service.cached(growing) is None
        extended = service.candles(growing)
        assert extended.cache == "extension"
        assert equals_rebuild(extended, store, growing, start="2024-01-03")
    store.upsert(corrected(today, 5))
    assert service.cached(history) is not None
    store.upsert(corrected(days_of(market())[1], 5))
    assert service.cached(history) is None
    assert not same(service.candles(history), kept)


def test_a_bar_that_comes_to_be_behind_the_end_changes_the_answer() -> None:
    """The week began before the end of the range, its first candle came after it."""
    store = MemoryStore()
    store.upsert(market(sessions=1))
    request = Request.of("SIM", "1w", end="2024-01-10T00:00Z")
    day = 24 * 60 * MINUTE
    with OptimizedService(store) as service:
        before = service.candles(request)
        candles = market(sessions=1)
        values = {name: getattr(candles, name) for name in ("open", "high", "low", "close", "volume")}
        later = candles.microseconds + 9 * day  # Thursday the 11th, of the week that begins on Monday the 8th
        store.upsert(Candles.trusted("SIM", candles.timeframe, candles.calendar, later, values))
        assert service.cached(request) is None
        after = service.candles(request)
    assert (len(before.bars), len(after.bars)) == (1, 2)
    assert before.fingerprint != after.fingerprint


def test_what_is_final_is_asked_at_the_time_of_the_answer(store: MemoryStore, service: OptimizedService) -> None:
    bars = query(store, "SIM", "5m").bars
    newest = int(bars.microseconds[-1])
    store.upsert(days_of(market())[-1].between(newest, newest + 5 * MINUTE))
    service.candles(DESK)

    def asked(until: int | None) -> tuple[bool, list[bool]]:
        request = Request.of("SIM", "5m", "desk", complete_until=until)
        at_once = service.cached(request)
        answer = service.candles(request)
        assert equals_rebuild(answer, store, request, complete_until=until)
        assert at_once is None or same(at_once, answer)
        return at_once is not None, answer.bars.final.tolist()[-2:]

    final = asked(None)[1]
    assert asked(newest + 5 * MINUTE)[1] == [True, True]
    assert asked(newest + 9 * MINUTE) == (True, [True, True])
    assert asked(newest + 4 * MINUTE) == (False, [True, False])
    assert asked(newest + 3 * MINUTE) == (True, [True, False])
    assert asked(newest - 3 * MINUTE) == (False, [False, False])
    assert asked(newest - 3 * MINUTE) == (False, [False, False])
    assert asked(None) == (False, final)


def test_what_is_final_when_the_newest_candles_are_taken_away() -> None:
    """The last bar of the day was told as forming; the day's last candle closes it, with or without the next day's."""
    store = MemoryStore()
    midnight = 1_704_240_000_000_000
    time_of, flat = midnight + np.arange(-8, 1) * MINUTE, dict.fromkeys(VALUES, np.ones(9))
    store.upsert(Candles.trusted("S", market().timeframe, find_calendar("24/7"), time_of, flat))
    day = Request.of("S", "5m", end=midnight)
    early = Request.of("S", "5m", end=midnight, complete_until=midnight - 3 * MINUTE)
    with OptimizedService(store) as service:
        assert service.candles(early).bars.final.tolist() == [True, False]
        store.delete("S", "1m", midnight, None)
        again = service.cached(early)
        assert again is not None
        assert again.bars.final.tolist() == [True, False]
        assert service.candles(day).bars.final.tolist() == [True, True]


def test_a_session_is_not_its_midnight() -> None:
    """The session of 4 January opens at 23:00Z on the 3rd; both forms of the 4th are equal, and mean two times."""
    store = MemoryStore()
    time_of = 1_704_322_800_000_000 + np.arange(-30, 120) * MINUTE
    flat = dict.fromkeys(VALUES, np.ones(len(time_of)))
    store.upsert(Candles.trusted("S", market().timeframe, find_calendar("CMES"), time_of, flat))
    with OptimizedService(store) as service:
        for _ in range(2):
            for unit, hour in (("D", 23), ("s", 0)):
                answer = service.candles(Request.of("S", "1h", start=np.datetime64("2024-01-04", unit)))
                assert answer.bars.time[0].astype("datetime64[h]").astype(int) % 24 == hour
        assert service.stats().cache.misses == 1
        assert service.cached(Request.of("S", "1h", start=np.datetime64("2024-01-04", "h"))) is None


def test_sessions_that_change_change_the_answer(
    store: MemoryStore, service: OptimizedService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = service.candles(DESK)
    assert service.cached(DESK) is not None
    extension = tmp_path / "sessions.csv"
    extension.write_text("calendar,date,periods\nXNYS,2024-01-03,09:30-10:00\n")
    monkeypatch.setenv("CANDLEWICK_SESSIONS", str(extension))
    assert service.cached(DESK) is None
    shorter = service.candles(DESK)
    assert len(shorter.bars) < len(whole.bars)
    assert shorter.fingerprint != whole.fingerprint
    monkeypatch.delenv("CANDLEWICK_SESSIONS")
    assert same(service.candles(DESK), whole)


def test_another_stored_timeframe_takes_over_at_once(store: MemoryStore, service: OptimizedService) -> None:
    hour = Request.of("SIM", "1h", "desk", end="2024-01-04")
    service.candles(hour)
    assert service.cached(hour) is not None
    bars = query(store, "SIM", "1h").bars
    values = {name: getattr(bars, name) + 1.0 for name in ("open", "high", "low", "close", "volume")}
    store.upsert(Candles.trusted("SIM", bars.timeframe, bars.calendar, bars.microseconds, values))
    assert service.cached(hour) is None
    assert str(service.candles(hour).source) == "1h"
    store.delete("SIM", "1h")
    assert str(service.candles(hour).source) == "1m"
    store.delete("SIM")
    assert service.cached(hour) is None
    with pytest.raises(UnknownSeriesError):
        service.candles(hour)


def test_errors_are_not_kept(store: MemoryStore, service: OptimizedService) -> None:
    for _ in range(2):
        with pytest.raises(LimitError):
            service.candles(Request.of("SIM", "5m", "desk", limit=3))
        with pytest.raises(UnknownSeriesError):
            service.candles(Request.of("NONE", "5m"))
    stats = service.stats().cache
    assert stats.lookups == 0
    assert stats.bytes == service.cache.recounted() > 0


def test_answers_cannot_be_changed(service: OptimizedService) -> None:
    answer = service.candles(DESK)
    with pytest.raises(TypeError):
        answer.indicators["sma_9"] = answer.bars.close  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        answer.indicators["sma_9"][0] = 1.0


# ---- the name of an answer


def test_the_same_columns_have_the_same_name_however_they_came_about(store: MemoryStore) -> None:
    request = Request.of("SIM", "5m", "desk", start="2024-01-03")
    with OptimizedService(store) as kept, OptimizedService(store, cache_enabled=False) as forgetful:
        for row in range(60, 66):
            kept.candles(request)
            store.upsert(days_of(market())[-1].rows(row, row + 1))
        answers = [kept.candles(request), forgetful.candles(request), OptimizedService(store).candles(request)]
    assert [answer.cache for answer in answers] == ["extension", "none", "miss"]
    assert len({answer.fingerprint for answer in answers}) == 1
    assert all(same(answer, answers[0]) for answer in answers)


# ---- one computation


def test_one_computation_for_all_who_ask_meanwhile(store: MemoryStore) -> None:
    watching = Watching(store)
    with OptimizedService(watching) as service, ThreadPoolExecutor(8) as pool:
        watching.first = lambda: _until(lambda: service._flights.waiting == 7)
        answers = list(pool.map(service.candles, [DESK] * 8))
    assert watching.calls["snapshot"] == 1
    assert sorted(answer.cache for answer in answers) == ["hit"] * 7 + ["miss"]
    assert all(same(answer, answers[0]) and equals_rebuild(answer, store, DESK) for answer in answers)
    stats = service.stats().cache
    assert (stats.hits, stats.misses) == (7, 1)


def test_an_error_is_everybodys_once(store: MemoryStore) -> None:
    watching = Watching(store)
    with OptimizedService(watching) as service, ThreadPoolExecutor(8) as pool:

        def fail() -> None:
            _until(lambda: service._flights.waiting == 7)
            watching.first = lambda: None
            raise StoreError("disk")

        watching.first = fail

        def ask(_: int) -> str:
            try:
                return service.candles(DESK).cache
            except StoreError as error:
                return str(error)

        assert list(pool.map(ask, range(8))) == ["disk"] * 8
        assert ask(0) == "miss"
        assert service.stats().cache.lookups == 1


def test_who_asks_after_a_write_sees_it(store: MemoryStore) -> None:
    """Although the same question is being answered from before the write."""
    watching, started, go = Watching(store), threading.Event(), threading.Event()
    with OptimizedService(watching) as service, ThreadPoolExecutor(2) as pool:

        def hold() -> None:
            watching.first = lambda: None
            started.set()
            assert go.wait(10)

        watching.first = hold
        before = pool.submit(service.candles, DESK)
        assert started.wait(10)
        store.upsert(days_of(market())[-1].rows(60, 61))
        after = pool.submit(service.candles, DESK)
        go.set()
        assert after.result().revision == store.find("SIM", "1m").revision
        assert before.result().bars.symbol == "SIM"


@pytest.mark.parametrize("workers", [1, 2])
def test_so_many_whole_series_at_a_time(workers: int) -> None:
    store, lock = MemoryStore(), threading.Lock()
    store.upsert_many([market(f"S{k}", 1) for k in range(6)])
    inside, most = 0, 0

    class Slow(Watching):
        def snapshot(self, *range_: Any) -> Snapshot:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.01)
            found = super().snapshot(*range_)
            with lock:
                inside -= 1
            return found

    with OptimizedService(Slow(store), workers=8) as service, ThreadPoolExecutor(6) as pool:
        service.reconfigure(workers=workers)
        list(pool.map(service.candles, [Request.of(f"S{k}", "5m", "desk") for k in range(6)]))
    assert most <= workers


# ---- while the past moves


@pytest.mark.parametrize("cache_enabled", [True, False])
def test_a_past_that_never_rests_is_read_in_one_piece(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, cache_enabled: bool
) -> None:
    monkeypatch.setattr(reading, "PIECE", 50)
    yesterday = days_of(market())[1]
    watching = Watching(store, lambda: store.upsert(corrected(yesterday, int(time.monotonic_ns() % 300))))
    with OptimizedService(watching, cache_enabled=cache_enabled) as service:
        answer = service.candles(DESK)
        monkeypatch.setattr(reading, "PIECE", 10**6)
        assert equals_rebuild(answer, store, DESK)
        assert answer.revision == store.find("SIM", "1m").revision
        assert answer.cache == ("miss" if cache_enabled else "none")
        assert service.stats().cache.misses == cache_enabled
        assert service.cache.recounted() == service.stats().cache.bytes == 0
    assert watching.calls["snapshot"] >= optimized.TRIES


def test_a_write_between_the_candles_and_their_revision_begins_again(store: MemoryStore) -> None:
    history = Request.of("SIM", "5m", "desk", end="2024-01-05")
    yesterday = days_of(market())[1]

    class Late(Watching):
        def revision_before(self, *given: Any) -> int:
            if not self.calls["revision_before"]:
                store.upsert(corrected(yesterday, 7))
            return super().revision_before(*given)

    late = Late(store)
    with OptimizedService(late) as service:
        answer = service.candles(history)
        assert late.calls["revision_before"] == 2
        assert equals_rebuild(answer, store, history, end="2024-01-05")
        assert answer.revision == store.revision_before("SIM", "1m", int(market().microseconds[-1]))


# ---- bounds and switches


def test_a_cache_too_small_for_anything_answers_all_the_same(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimized, "MEGABYTE", 1)
    with OptimizedService(store, max_cache_mb=10_000) as service:
        for _ in range(2):
            answer = service.candles(DESK)
            assert answer.cache == "miss"
            assert equals_rebuild(answer, store, DESK)
            assert len(answer.json()) > 10_000
        stats = service.stats().cache
        assert (stats.bytes, stats.entries, stats.evictions) == (0, 0, 2)
        service.reconfigure(max_cache_mb=10**7)
        assert [service.candles(DESK).cache for _ in range(2)] == ["miss", "hit"]
        held = service.stats().cache.bytes
        text = service.candles(DESK).json()
        assert service.stats().cache.bytes == service.cache.recounted() == held + len(text)
        service.reconfigure(max_cache_mb=10)
        assert service.stats().cache.bytes == 0


def test_the_cache_really_switches(store: MemoryStore, service: OptimizedService) -> None:
    kept = [service.candles(DESK).cache for _ in range(2)]
    service.reconfigure(cache_enabled=False)
    assert service.stats().cache.bytes == 0
    assert service.cached(DESK) is None
    off = [service.candles(DESK) for _ in range(2)]
    service.reconfigure(cache_enabled=True)
    assert kept == ["miss", "hit"]
    assert [answer.cache for answer in off] == ["none", "none"]
    assert service.candles(DESK).cache == "miss"
    assert service.stats().cache.lookups == 3
    assert off[0].json() == off[1].json() == service.candles(DESK).json()


def test_a_request_under_way_when_the_cache_is_switched_off_leaves_nothing(store: MemoryStore) -> None:
    watching = Watching(store)
    with OptimizedService(watching) as service:
        watching.first = lambda: service.reconfigure(cache_enabled=False)
        assert equals_rebuild(service.candles(DESK), store, DESK)
        assert service.stats().cache.bytes == service.stats().cache.entries == 0


@pytest.mark.parametrize(("name", "value"), [("max_cache_mb", 0), ("workers", True), ("workers", -1)])
def test_settings_of_no_use_are_refused(store: MemoryStore, service: OptimizedService, name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name):
        service.reconfigure(**{name: value})
    with pytest.raises(InputError, match=name):
        OptimizedService(store, **{name: value})


def test_concurrency_really_switches(store: MemoryStore) -> None:
    store.upsert_many([market("A", 1), market("B", 1)])
    threads: set[str] = set()
    watching = Watching(store, lambda: threads.add(threading.current_thread().name))
    requests = [Request.of(symbol, length, "desk") for length in ("5m", "15m") for symbol in ("A", "B", "SIM")]
    with OptimizedService(watching, concurrency_enabled=False) as service:
        answers = service.candles_many(requests)
        assert threads == {threading.current_thread().name}
        service.reconfigure(concurrency_enabled=True)
        service.cache.clear()
        threads.clear()
        assert all(map(same, service.candles_many(requests), answers))
        assert threads
        assert threading.current_thread().name not in threads
        assert service.stats().pool.done == 3
        service.reconfigure(concurrency_enabled=False)
        assert all(map(same, service.candles_many(requests, deadline=60.0), answers))


@pytest.mark.parametrize("enabled", [True, False])
def test_what_is_not_done_in_time_has_a_deadline_in_its_place(store: MemoryStore, enabled: bool) -> None:
    store.upsert(market("A", 1))
    go = threading.Event()
    requests = [DESK, Request.of("SIM", "1h"), Request.of("A", "5m")]
    watching = Watching(store)
    with OptimizedService(watching, concurrency_enabled=enabled, workers=4) as service:
        first = service.candles(DESK)
        watching.first = lambda: _held(go)
        try:
            answers = service.candles_many(requests, deadline=1.0)
        finally:
            go.set()
        assert isinstance(answers[0], Answer)
        assert same(answers[0], first)
        assert [type(answer) for answer in answers[1:]] == [DeadlineError, DeadlineError]


def test_closing_leaves_behind_what_hangs(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimized, "CLOSE_SECONDS", 0.05)
    go = threading.Event()
    watching = Watching(store)
    watching.first = lambda: _held(go)
    service = OptimizedService(watching, workers=1)
    try:
        assert [type(one) for one in service.candles_many([DESK], deadline=0.05)] == [DeadlineError]
        hanging = [thread.name for thread in threading.enumerate() if thread.name.startswith("optimized-")]
        assert hanging, "the thread that hangs says whose it is"
        service.close()
        assert not go.is_set(), "closed while the call still hangs"
    finally:
        go.set()


def test_a_defect_is_an_error_in_its_place(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_view.SeriesView, "bars", lambda *_: 1 / 0)
    with OptimizedService(store) as service:
        outcomes: list[Answer | CandlewickError] = service.candles_many([DESK])
        assert isinstance(outcomes[0], EngineError)
        assert (outcomes[0].engine, outcomes[0].kind) == ("optimized", "ZeroDivisionError")


def test_many_threads_that_write_and_read() -> None:
    store = MemoryStore()
    symbols = [f"S{k}" for k in range(4)]
    whole = {symbol: market(symbol, 2) for symbol in symbols}
    store.upsert_many([candles.rows(0, 400) for candles in whole.values()])
    forms = [("5m", "desk"), ("1m", "sma(9)"), ("1h", None), ("1d", "desk")]

    def work(seed: int) -> int:
        random, wrong = np.random.default_rng(seed), 0
        for _ in range(60):
            symbol = symbols[random.integers(4)]
            candles = whole[symbol]
            if random.random() < 0.3:
                row = int(random.integers(380, len(candles)))
                store.upsert(candles.rows(row, min(row + 5, len(candles))))
            elif random.random() < 0.1:
                store.upsert(corrected(candles.rows(0, 300), int(random.integers(300))))
            length, indicators = forms[random.integers(4)]
            start = int(candles.microseconds[random.integers(len(candles))]) if random.random() < 0.7 else None
            request = Request.of(symbol, length, indicators, start=start)
            revision = store.find(symbol, "1m").revision
            answer = service.cached(request) or service.candles(request)
            answer.json()
            wrong += answer.revision < revision
        return wrong

    with OptimizedService(store, max_cache_mb=1) as service, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [0] * 8
        assert service.cache.recounted() == service.stats().cache.bytes <= 1 << 20
        for symbol in symbols:
            for length, indicators in forms:
                request = Request.of(symbol, length, indicators)
                assert equals_rebuild(service.candles(request), store, request)


def _until(true: Callable[[], bool]) -> None:
    for _ in range(20_000):
        if true():
            return
        time.sleep(0.0005)
    raise TimeoutError("nobody came")


def _held(go: threading.Event) -> None:
    assert go.wait(10)

"""IndicatorCache: bounded and exactly counted, whatever is put in, grows or is asked for."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from candlewick.cache import indicator_cache
from candlewick.cache.indicator_cache import CacheStats, IndicatorCache, ViewKey
from candlewick.cache.look import Look
from candlewick.cache.remembered import Encoded, Remembered
from candlewick.store.repository import Series
from candlewick.timeframe import Timeframe

ONE = Timeframe.parse("1m")
LIMIT = 10_000
RECORD = Series("S", ONE, "24/7", 1, 0, 0, 1, 0)


class Sized:
    """A view as the cache sees it: a size, and whether it was ever used."""

    def __init__(self) -> None:
        self.nbytes = 0
        self.record: Series | None = RECORD


def key(number: int) -> ViewKey:
    return ViewKey(f"S{number}", ONE, ONE, "keep", "24/7", "v")


def answer(encoded: Encoded, nbytes: int, **other: Any) -> Remembered:
    given = {
        "value": object(), "stored": [RECORD], "series": RECORD, "sessions": None, "until": 100, "forming": 0,
        "starts": 50, "ends": 80, "revision": 1, "settled": None,
    }  # fmt: skip
    return Remembered(encoded=encoded, nbytes=nbytes, **(given | other))


class Caches(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.limit = LIMIT
        self.cache = IndicatorCache(self.limit)
        self.encoded: list[Encoded] = []
        self.counted = [0, 0, 0]

    @rule(number=st.integers(0, 6), size=st.integers(0, 6000), used=st.booleans())
    def use(self, number: int, size: int, used: bool) -> None:
        view = self.cache.view(key(number), Sized)
        view.nbytes, view.record = (size, RECORD) if used or view.nbytes else (0, None)
        self.cache.settle(key(number), view)
        again = self.cache.view(key(number), Sized)
        assert (again is view) == (view.record is not None and size <= self.limit)
        self.cache.settle(key(number), again)

    @rule(number=st.integers(0, 6), question=st.integers(0, 9), size=st.integers(0, 120), text=st.binary(max_size=900))
    def remember(self, number: int, question: int, size: int, text: bytes) -> None:
        view = self.cache.view(key(number), Sized)
        encoded = self.cache.encoded()
        encoded["json"] = text
        made = answer(encoded, size)
        self.cache.remember(key(number), view, (number, question), made)
        self.cache.settle(key(number), view)
        self.encoded = [*self.encoded[-30:], encoded]
        kept = self.cache.recall((number, question))
        assert kept is None or kept.answer is made
        assert size * indicator_cache.SHARE <= self.limit or kept is None

    @rule(place=st.integers(0, 30), name=st.sampled_from(["json", "arrow"]), text=st.binary(max_size=3000))
    def encode(self, place: int, name: str, text: bytes) -> None:
        if self.encoded:
            one = self.encoded[place % len(self.encoded)]
            one[name] = text
            assert one[name] == text

    @rule(number=st.integers(0, 6), question=st.integers(0, 9), look=st.sampled_from(Look))
    def count(self, number: int, question: int, look: Look) -> None:
        self.cache.count(look, self.cache.recall((number, question)))
        self.counted[look] += 1

    @rule(limit=st.sampled_from([0, 500, LIMIT, 5 * LIMIT]))
    def resize(self, limit: int) -> None:
        self.limit = limit
        self.cache.resize(limit)

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        assert self.cache.stats().entries == self.cache.stats().bytes == 0

    @invariant()
    def exact_and_bounded(self) -> None:
        stats = self.cache.stats()
        assert stats.bytes == self.cache.recounted() <= self.limit
        assert [stats.hits, stats.extensions, stats.misses] == self.counted
        assert stats.lookups == sum(self.counted)


TestCaches = Caches.TestCase
TestCaches.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def filled(numbers: range, size: int) -> tuple[IndicatorCache, dict[int, Any]]:
    cache, views = IndicatorCache(LIMIT), {}
    for number in numbers:
        views[number] = cache.view(key(number), Sized)
        views[number].nbytes = size
        cache.settle(key(number), views[number])
    return cache, views


def held(cache: IndicatorCache, views: dict[int, Any]) -> list[int]:
    made: list[int] = []
    for number, view in views.items():
        if cache.view(key(number), Sized) is view:
            made.append(number)
    return made


def test_the_least_recently_used_view_goes_first() -> None:
    cache, views = filled(range(4), 2500)
    cache.view(key(0), Sized)
    other = cache.view(key(9), Sized)
    other.nbytes = 2500
    cache.settle(key(9), other)
    assert cache.stats().evictions == 1
    assert held(cache, views) == [0, 2, 3]


def test_an_answer_that_was_used_keeps_its_view() -> None:
    cache, views = filled(range(4), 2400)
    cache.remember(key(0), views[0], "q", answer(cache.encoded(), 8))
    cache.view(key(1), Sized)
    kept = cache.recall("q")
    assert kept is not None
    cache.count(Look.HIT, kept)
    other = cache.view(key(9), Sized)
    other.nbytes = 2400
    cache.settle(key(9), other)
    assert held(cache, views) == [0, 1, 3]
    assert cache.recall("q") is kept
    cache.clear()
    cache.count(Look.HIT, kept)
    assert cache.recall("q") is None
    assert cache.stats().hits == 2


def test_a_view_larger_than_the_limit_is_let_go_with_what_was_there() -> None:
    cache, views = filled(range(2), 100)
    views[1].nbytes = LIMIT + 1
    cache.settle(key(1), views[1])
    assert (cache.stats().entries, cache.stats().bytes, cache.stats().evictions) == (0, 0, 2)


def test_a_view_that_was_let_go_meanwhile_is_not_counted() -> None:
    cache, views = filled(range(1), 100)
    cache.clear()
    views[0].nbytes = 500
    cache.settle(key(0), views[0])
    cache.remember(key(0), views[0], "q", answer(cache.encoded(), 8))
    assert cache.stats() == CacheStats()
    cache.view(key(0), Sized)
    cache.remember(key(0), views[0], "q", answer(cache.encoded(), 8))
    assert cache.recall("q") is None


def test_answers_take_their_part_of_the_limit_at_most() -> None:
    cache, views = filled(range(2), 4000)
    part = LIMIT // indicator_cache.ANSWERS
    for question in range(4):
        encoded = cache.encoded()
        cache.remember(key(question % 2), views[question % 2], question, answer(encoded, 8))
        encoded["json"] = b"x" * (part // 3)
        cache.count(Look.HIT, cache.recall(0))
    assert [cache.recall(question) is not None for question in range(4)] == [True, False, False, True]
    assert (cache.stats().entries, cache.stats().evictions) == (2, 0)
    encoded["arrow"] = b"x" * part
    assert [cache.recall(question) is not None for question in range(4)] == [True, False, False, False]
    assert cache.stats().bytes == cache.recounted() == 8000 + 8 + part // 3


def test_a_large_answer_is_kept_from_the_second_time_on_that_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicator_cache, "ASKED", 2)
    size = indicator_cache.LARGE
    cache = IndicatorCache(1000 * size)
    view = cache.view(key(0), Sized)

    def kept_after(question: str, nbytes: int) -> bool:
        cache.remember(key(0), view, question, answer(cache.encoded(), nbytes))
        return cache.recall(question) is not None

    assert kept_after("just small enough", size)
    assert [kept_after("large", size + 1) for _ in range(3)] == [False, True, True]
    assert [kept_after(question, size + 1) for question in "abca"] == [False] * 4, "only the newest two are known"
    assert kept_after("c", size + 1)


def test_an_answer_is_renewed_only_where_it_still_is() -> None:
    cache, views = filled(range(1), 100)
    old, new, other = (answer(cache.encoded(), 8) for _ in range(3))
    cache.remember(key(0), views[0], "q", old)
    kept = cache.recall("q")
    assert kept is not None
    cache.renew(kept, old, new)
    cache.renew(kept, old, other)
    assert kept.answer is new


def test_hit_rate() -> None:
    assert CacheStats().hit_rate is None
    assert CacheStats(hits=2, extensions=1, misses=1).hit_rate == 0.75


@pytest.mark.parametrize(
    ("until", "forming", "holds"),
    [(80, 0, True), (80, 1, False), (79, 1, True), (79, 0, False), (50, 1, True), (49, 1, False), (49, 2, False)],
)
def test_an_answer_holds_while_as_many_bars_are_final(until: int, forming: int, holds: bool) -> None:
    encoded = IndicatorCache(1).encoded()
    assert answer(encoded, 0, forming=forming).holds_at(until) is holds
    assert answer(encoded, 0, forming=forming, until=until).holds_at(None) is holds


def test_encoded_forms_cross_to_another_process() -> None:
    encoded = IndicatorCache(1).encoded()
    encoded["json"] = b"{}"
    assert pickle.loads(pickle.dumps(encoded)) == {"json": b"{}"}
    assert encoded.nbytes == 2

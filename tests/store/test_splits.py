"""Split factors: what they are, what they make of candles, and that every store keeps them alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.postgres_server import postgres_server

from candlewick.candles import PRICES, Candles
from candlewick.errors import InputError, NaiveTimeError, StoreError
from candlewick.sessions.calendar import find_calendar
from candlewick.store.adjusted import Adjusted, adjusted_view
from candlewick.store.memory import MemoryStore
from candlewick.store.migrate import migrate
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.store.splits import Split, adjusted, divisors, effective, factor_of, texts
from candlewick.store.telling import TellingRepository
from candlewick.store.then import known_at
from candlewick.testing.failing_repository import FailingRepository

SPLIT = 1_402_286_400_000_000  # 2014-06-09T04:00Z, midnight in New York
HOUR = 3_600_000_000


def hours(first: int, count: int, price: float = 700.0) -> Candles:
    """Candles of an hour each that rise by one."""
    base = price + np.arange(count)
    return Candles(
        symbol="AAPL",
        timeframe="1h",
        calendar="24/7",
        time=first + np.arange(count) * HOUR,
        open=base,
        high=base + 2,
        low=base - 1,
        close=base + 1,
        volume=np.full(count, 10.0),
    )


@pytest.mark.parametrize(
    ("given", "factor", "text"),
    [
        (7, 7.0, "7:1"),
        ("7", 7.0, "7:1"),
        ("3:2", 1.5, "3:2"),
        (" 1 : 10 ", 0.1, "1:10"),
        (0.1, 0.1, "1:10"),
        ("1:3", 1 / 3, "1:3"),
        (1.0345, 1.0345, "1.0345"),
        (np.float64(2), 2.0, "2:1"),
        (1e5, 1e5, "100000.0"),
    ],
)
def test_a_factor_is_a_number_or_a_ratio(given: object, factor: float, text: str) -> None:
    assert factor_of(given) == factor
    assert Split(0, factor).text == text


@pytest.mark.parametrize(
    "given",
    [0, 1, -7, "1:1", "7:0", "0:7", "-7", "seven", "", None, True, float("nan"), float("inf"), "1e400", "7:1:1"],
)
def test_what_is_no_factor_says_what_would_be(given: object) -> None:
    with pytest.raises(InputError, match=r"factor: .*3:2") as raised:
        factor_of(given)
    assert raised.value.value == given or given != given


def test_a_date_begins_at_midnight_there_unless_its_session_opens_before() -> None:
    new_york = find_calendar("XNYS")
    for date in ("2014-06-09", dt.date(2014, 6, 9), np.datetime64("2014-06-09")):
        assert effective(date, new_york) == SPLIT
    assert effective("2014-06-09T13:30:00Z", new_york) == SPLIT + 9 * HOUR + HOUR // 2
    assert effective("2014-06-09T13:30:00Z", None) == SPLIT + 9 * HOUR + HOUR // 2
    futures = find_calendar("CMES")  # its session opens on the evening before
    assert effective("2024-01-03", futures) == int(futures.label_opens(np.array([19725]))[0])
    assert effective("2024-01-03", futures) < effective("2024-01-03", new_york)
    with pytest.raises(InputError, match="not a session"):
        effective("2014-06-08", new_york)
    for at in ("2014-06-09", "2014-06-09T09:30:00"):
        with pytest.raises(NaiveTimeError):
            effective(at, None)
    with pytest.raises(InputError, match="not a time"):
        effective("2014-06-31", new_york)


moments = st.integers(min_value=0, max_value=40).map(lambda hour: SPLIT + hour * HOUR)
factors = st.floats(min_value=1e-3, max_value=1e3).filter(lambda one: one != 1)


@given(st.dictionaries(moments, factors, max_size=4), st.integers(-5, 45), st.integers(1, 50))
def test_prices_are_divided_by_all_later_factors_and_volumes_multiplied(
    held: dict[int, float], first: int, count: int
) -> None:
    splits = tuple(sorted(Split(*one) for one in held.items()))
    raw = hours(SPLIT + first * HOUR, count)
    found = adjusted(raw, splits)
    exact = [
        np.prod([Fraction(one.factor) for one in splits if at < one.time] or [Fraction(1)])
        for at in raw.microseconds.tolist()
    ]
    for name in PRICES:
        wanted = [float(Fraction(value) / by) for value, by in zip(getattr(raw, name).tolist(), exact, strict=True)]
        np.testing.assert_allclose(getattr(found, name), wanted, rtol=1e-14)
    wanted = [float(Fraction(value) * by) for value, by in zip(raw.volume.tolist(), exact, strict=True)]
    np.testing.assert_allclose(found.volume, wanted, rtol=1e-14)
    assert (found.high >= np.maximum(found.open, found.close)).all()
    assert (found.low <= np.minimum(found.open, found.close)).all()
    assert np.array_equal(found.microseconds, raw.microseconds)
    # Piece by piece it is the same bits, and where no factor is later nothing is touched.
    cut = count // 2
    pieces = [adjusted(raw.rows(0, cut), splits), adjusted(raw.rows(cut, count), splits)]
    for name in (*PRICES, "volume"):
        joined = np.concatenate([getattr(one, name) for one in pieces])
        assert joined.tobytes() == getattr(found, name).tobytes()
    assert divisors(raw.microseconds, splits)[raw.microseconds >= max(held, default=0)].tolist() == [1.0] * int(
        np.count_nonzero(raw.microseconds >= max(held, default=0))
    )


def test_factors_that_leave_the_numbers_are_told() -> None:
    raw = hours(SPLIT - 2 * HOUR, 2, price=1e300)
    for factor in (1e-300, 1e308):
        with pytest.raises(InputError, match="beyond what a number can hold"):
            adjusted(raw, (Split(SPLIT, factor), Split(SPLIT + 30 * HOUR, factor)))


def test_a_fingerprint_names_them_exactly() -> None:
    assert texts((Split(1, 7.0), Split(2, 0.1))) == ("1 7.0", "2 0.1")
    assert Split(SPLIT, 7.0).as_dict() == {"time": "2014-06-09T04:00:00Z", "factor": 7.0, "ratio": "7:1"}


Opened = Callable[[], CandleRepository]


@pytest.fixture(params=["memory", "duckdb", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Opens the same store again and again."""
    if request.param == "memory":
        held = MemoryStore()
        yield lambda: held
        held.close()
        return
    url = postgres_server().url() if request.param == "postgres" else str(tmp_path / "a.duckdb")
    yield lambda: open_store(url)


def test_every_store_keeps_them(opened: Opened) -> None:
    store = opened()
    store.upsert(hours(SPLIT - 3 * HOUR, 6))
    before = store.find("AAPL", "1h")
    assert (store.splits(), store.splits_of("AAPL")) == ({}, ())
    later = SPLIT + 48 * HOUR
    assert store.set_split("AAPL", later, "1:10") == Split(later, 0.1)
    assert store.set_split("AAPL", "2014-06-09T04:00:00Z", 5) == Split(SPLIT, 5.0)
    assert store.set_split("AAPL", SPLIT, 7) == Split(SPLIT, 7.0)
    assert store.set_split("NEW", "2014-06-09", 2, calendar="XNYS") == Split(SPLIT, 2.0)
    wanted = {"AAPL": (Split(SPLIT, 7.0), Split(later, 0.1)), "NEW": (Split(SPLIT, 2.0),)}
    assert dict(store.splits()) == wanted
    assert known_at(store, later).splits() == store.splits()
    store.upsert(hours(SPLIT + 3 * HOUR, 1))  # which leaves them as they are
    assert store.splits_of("AAPL") == wanted["AAPL"]
    assert (before.revision, before.generation) == (1, 0)
    assert store.read("AAPL", "1h").rows(0, 6) == hours(SPLIT - 3 * HOUR, 6)
    with pytest.raises(InputError, match="7:1 at 2014-06-09T04:00:00Z already"):
        store.set_split("AAPL", SPLIT + HOUR, 7)
    with pytest.raises(InputError, match="not a session"):
        store.set_split("NEW", "2014-06-08", 2, calendar="XNYS")
    with pytest.raises(NaiveTimeError):
        store.set_split("NEW", "2014-06-09", 2)
    with pytest.raises(InputError, match="name of a symbol"):
        store.set_split("", SPLIT, 2)
    assert store.remove_split("AAPL", later + 1) is None
    assert store.remove_split("AAPL", later) == Split(later, 0.1)
    assert store.remove_split("NEW", "2014-06-09", calendar="XNYS") == Split(SPLIT, 2.0)
    assert dict(store.splits()) == {"AAPL": (Split(SPLIT, 7.0),)}
    if not isinstance(store, MemoryStore):
        store.close()
        with opened() as again:
            assert dict(again.splits()) == {"AAPL": (Split(SPLIT, 7.0),)}
            again.compact()
            assert again.check() == []
            with again.tables(writing=True) as cursor:
                cursor.execute("DELETE FROM candles WHERE time < 0")
            assert dict(again.splits()) == {"AAPL": (Split(SPLIT, 7.0),)}


def test_processes_on_one_database_see_each_others_factors() -> None:
    url = postgres_server().url()
    with open_store(url) as one, open_store(url) as other:
        for factor in (2.0, 3.0):
            one.set_split("AAPL", SPLIT, factor)
            assert one.splits_of("AAPL") == (Split(SPLIT, factor),)
            other._watch._looked = 0.0  # type: ignore[attr-defined] # what is older than the bound is not trusted
            assert other.splits_of("AAPL") == (Split(SPLIT, factor),)
        other.remove_split("AAPL", SPLIT)
        one._watch._looked = 0.0  # type: ignore[attr-defined]
        assert one.splits() == {}


def test_a_file_of_before_gets_the_table(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    with open_store(path) as store:
        store.upsert(hours(SPLIT, 2))
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP TABLE splits; UPDATE candlewick SET schema = 3")
    assert (migrate(path).before, migrate(path).done) == (3, "nothing")
    with open_store(path) as store:
        assert store.splits() == {}
        assert store.read("AAPL", "1h") == hours(SPLIT, 2)
        store.set_split("AAPL", SPLIT, 7)
        assert store.splits_of("AAPL") == (Split(SPLIT, 7.0),)


def test_a_database_of_before_gets_the_table() -> None:
    server = postgres_server()
    url = server.url("before_splits")
    with open_store(url) as store:
        store.upsert(hours(SPLIT, 2))
    server.execute("DROP TABLE before_splits.splits")
    server.execute("ALTER TABLE before_splits.candlewick DROP COLUMN splits")
    server.execute("UPDATE before_splits.candlewick SET schema = 1")
    done = migrate(url)
    assert (done.before, done.done) == (1, "upgraded")
    with open_store(url) as store:
        store.set_split("AAPL", SPLIT, 7)
        assert store.splits_of("AAPL") == (Split(SPLIT, 7.0),)


def test_a_view_adjusts_and_is_never_written_to() -> None:
    store = TellingRepository(FailingRepository(MemoryStore(), method="", error=ValueError()))
    store.upsert(hours(SPLIT - 2 * HOUR, 4))
    assert adjusted_view(store) is store
    store.set_split("AAPL", SPLIT, 7)
    view = adjusted_view(store)
    assert isinstance(view, Adjusted)
    for found in (view.read("AAPL", "1h"), view.snapshot("AAPL", "1h").candles):
        assert found.close.tolist() == [701 / 7, 702 / 7, 703.0, 704.0]
        assert found.volume.tolist() == [70.0, 70.0, 10.0, 10.0]
    assert view.earliest("AAPL", "1h").open.tolist() == [100.0]
    assert view.read("AAPL", "1h", SPLIT) == store.read("AAPL", "1h", SPLIT)
    assert view.find("AAPL", "1h") == store.find("AAPL", "1h")
    assert view.series() == store.series()
    assert view.series_of("AAPL") == store.series_of("AAPL")
    assert view.revision_before("AAPL", "1h") == 1
    assert view.first_changed("AAPL", "1h", 1) is None
    assert view.writes("AAPL", "1h") == store.writes("AAPL", "1h")
    assert view.revision_at("AAPL", "1h", store.writes("AAPL", "1h")[0].written_at) == 1
    assert view.quarantined() == []
    for call in (
        lambda: view.upsert(hours(SPLIT, 1)),
        lambda: view.delete("AAPL"),
        lambda: view.purge(SPLIT),
        lambda: view.quarantine([]),
        lambda: view.compact(),
        lambda: view.set_split("AAPL", SPLIT, 2),
    ):
        with pytest.raises(StoreError, match="adjusted for splits cannot be written to"):
            call()
    store.set_split("AAPL", SPLIT, 2)
    assert view.splits_of("AAPL") == (Split(SPLIT, 7.0),)
    view.close()
    assert adjusted_view(store).read("AAPL", "1h").volume.tolist() == [20.0, 20.0, 10.0, 10.0]

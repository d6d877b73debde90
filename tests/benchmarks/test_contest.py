"""The contest itself, on a clock moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.benchmarks.contest import COPY, Contender, Contest, LeftOut, Status, copier, order, race
from candlewick.errors import InputError

Maker = Callable[..., Contender]


@given(st.lists(st.text(), unique=True), st.integers(0, 100))
def test_every_round_has_everyone_once(names: list[str], number: int) -> None:
    assert sorted(order(names, number)) == sorted(names)


@given(st.integers(2, 8))
def test_everyone_leads_or_ends_alike_over_the_rounds(count: int) -> None:
    names = [str(k) for k in range(count)]
    rounds = [order(names, number) for number in range(2 * count)]
    first = [turns[0] for turns in rounds]
    last = [turns[-1] for turns in rounds]
    assert {first.count(name) + last.count(name) for name in names} == {4}


def test_who_runs_before_whom_changes() -> None:
    turns = [order(["a", "b", "c"], number) for number in range(2)]
    assert set(pairwise(turns[0])) != set(pairwise(turns[1]))


def test_times_are_a_units_and_the_first_call_is_not_timed(clock: Any, contender: Maker) -> None:
    contest = Contest([contender("ours", [9_000, 300, 100, 200], ours=True)], 8.0, rounds=3)
    ours, copy = race(contest, clock=clock, cpu_clock=clock)
    assert ours.status is Status.MEASURED
    assert ours.wall == (30.0, 10.0, 20.0)
    assert ours.cpu == (30.0, 10.0, 20.0)
    assert (ours.best, ours.median, ours.cpu_median) == (10.0, 20.0, 20.0)
    assert (copy.name, copy.status, copy.wall) == (COPY, Status.MEASURED, (0.0, 0.0, 0.0))


def test_a_contender_that_computes_something_else_is_named_and_not_timed(clock: Any, contender: Maker) -> None:
    wrong = contender("wrong", [5], answer=(1.0, 2.1))  # a second call would find no time left
    contest = Contest([wrong, contender("ours", [1, 1, 1], ours=True)], 8.0, rounds=2)
    found = {result.name: result for result in race(contest, clock=clock, cpu_clock=clock)}
    assert found["wrong"].status is Status.DIFFERS
    assert found["wrong"].difference == pytest.approx(0.05)
    assert found["wrong"].wall == ()
    assert found["ours"].status is Status.MEASURED


def test_within_its_tolerance_a_difference_is_kept_and_told(clock: Any, contender: Maker) -> None:
    near = contender("near", [5, 5], answer=(1.0, 2.1), tolerance=0.06)
    contest = Contest([contender("ours", [1, 1], ours=True), near], 8.0, rounds=1)
    found = race(contest, clock=clock, cpu_clock=clock)[1]
    assert (found.status, found.tolerance) == (Status.MEASURED, 0.06)
    assert found.difference == pytest.approx(0.05)


def test_an_absent_peer_is_named_and_never_prepared(clock: Any, contender: Maker) -> None:
    def refuse() -> Callable[[], Any]:
        raise ImportError

    absent = Contender("peer", 1, refuse, lambda _: {}, ("nowhere_to_be_found", "numpy"))
    contest = Contest([absent, contender("ours", [1, 1], ours=True)], 8.0, rounds=1)
    found = race(contest, clock=clock, cpu_clock=clock)[0]
    assert (found.name, found.status, found.note) == (
        "peer",
        Status.ABSENT,
        "nowhere_to_be_found is not installed",
    )


def test_who_is_left_out_is_named_with_the_reason(clock: Any, contender: Maker) -> None:
    contest = Contest([contender("ours", [1, 1], ours=True)], 8.0, 1, [LeftOut("peer", "cannot do it")])
    names = [(result.name, result.status, result.note) for result in race(contest, clock=clock, cpu_clock=clock)]
    assert names[1] == ("peer", Status.LEFT_OUT, "cannot do it")
    assert [name for name, _, _ in names] == ["ours", "peer", COPY]


def test_tidying_up_follows_every_call_untimed(clock: Any, contender: Maker) -> None:
    tidied: list[int] = []

    def after() -> None:
        clock.spend(1_000)
        tidied.append(clock())

    contest = Contest([contender("ours", [10, 10, 10], ours=True, after=after)], 8.0, rounds=2)
    ours = race(contest, clock=clock, cpu_clock=clock)[0]
    assert len(tidied) == 3
    assert ours.wall == (1.0, 1.0)


def test_progress_rises_to_the_end(clock: Any, contender: Maker) -> None:
    seen: list[tuple[int, int]] = []
    contest = Contest([contender("ours", [1] * 4, ours=True), contender("peer", [1] * 4)], 8.0, rounds=3)
    race(contest, clock=clock, cpu_clock=clock, progress=lambda done, total: seen.append((done, total)))
    done = [at for at, _ in seen]
    assert {total for _, total in seen} == {12}
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, 12)


def test_a_failing_call_leaves_garbage_collection_on(clock: Any) -> None:
    import gc

    calls = iter([1.0])

    def run() -> float:
        return next(calls)

    broken = Contender("ours", 1, lambda: run, lambda found: {"x": np.array([found])}, ours=True)
    with pytest.raises(StopIteration):
        race(Contest([broken], 8.0, 1), clock=clock, cpu_clock=clock)
    assert gc.isenabled()


@pytest.mark.parametrize(("units", "bytes_per_unit"), [(1_000, 128.0), (3, 0.1)])
def test_the_copy_moves_the_bytes_of_ours(contender: Maker, units: int, bytes_per_unit: float) -> None:
    contest = Contest([contender("peer", []), contender("ours", [], units=units, ours=True)], bytes_per_unit, 1)
    copy = copier(contest)
    run = copy.prepare()
    assert run() is None
    source, target = (cell.cell_contents for cell in run.__closure__ or ())
    assert copy.units == units
    assert source.nbytes + target.nbytes == max(16, round(units * bytes_per_unit / 16) * 16)
    assert np.array_equal(source, target)


def test_a_contest_without_ours_is_refused(contender: Maker) -> None:
    with pytest.raises(InputError, match="none of ours"):
        Contest([contender("peer", [])], 8.0, 1)

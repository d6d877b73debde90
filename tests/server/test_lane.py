"""Lane: bounded work in threads of its own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from candlewick.errors import DeadlineError, OverloadedError, StoreError
from candlewick.server.lane import Lane


@pytest.fixture
def lane():
    made = Lane("test", threads=1, queue=1, seconds=30)
    yield made
    made.close()


def test_results_and_errors_come_back(lane):
    def fail():
        raise StoreError("full")

    assert asyncio.run(lane.run(divmod, 7, 2)) == (3, 1)
    assert asyncio.run(lane.run(int, "10", base=2)) == 2
    with pytest.raises(StoreError, match="full"):
        asyncio.run(lane.run(fail))
    assert lane.stats() == {"inside": 0, "room": 2}


def test_one_more_than_there_is_room_for_is_refused_at_once(lane):
    release = threading.Event()

    async def go():
        tasks = [asyncio.ensure_future(lane.run(release.wait, 30)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError, match="1 requests wait already"):
            await lane.run(int)
        release.set()
        return await asyncio.gather(*tasks), await lane.run(int, "3")

    assert asyncio.run(go()) == ([True, True], 3)


def test_a_deadline_frees_what_waits_and_not_what_runs():
    lane = Lane("test", threads=1, queue=1, seconds=0.05)
    release, ran = threading.Event(), []

    async def go():
        first = asyncio.ensure_future(lane.run(release.wait, 30))
        await asyncio.sleep(0)
        for task in (first, lane.run(ran.append, 1)):
            with pytest.raises(DeadlineError, match=r"0\.05 s"):
                await task
        return lane.stats()["inside"]

    assert asyncio.run(go()) == 1
    release.set()
    lane._threads.shutdown(wait=True)
    assert (lane.stats()["inside"], ran) == (0, [])


def test_a_deadline_of_the_work_itself_keeps_its_words(lane):
    def late():
        raise DeadlineError(7.0)

    with pytest.raises(DeadlineError, match="7 s"):
        asyncio.run(lane.run(late))


def test_a_closed_lane_takes_nothing_and_counts_nothing(lane):
    lane.close()
    with pytest.raises(RuntimeError):
        asyncio.run(lane.run(int))
    assert lane.stats()["inside"] == 0
